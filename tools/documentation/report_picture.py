"""Take the screenshot of the HTML report for the documentation.

    python tools/documentation/report_picture.py       # writes docs/pictures/report.png; needs chromium

The command checks real templates. Run it again if the report looks different.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "report.png"
DENY = """\
  {0}Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref {0}
      PolicyDocument:
        Statement:
          - Sid: DenyHttp
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: {1}
            Condition: {{Bool: {{aws:SecureTransport: false}}}}
"""
BOTH, OBJECTS = '[!GetAtt {0}.Arn, !Sub "${{{0}.Arn}}/*"]', "!Sub ${{{0}.Arn}}/*"
# The statement of each bucket, by template; `None` for a bucket without a policy.
TEMPLATES = {
    "reports.yaml": {"Reports": OBJECTS, "Archive": BOTH, "Exports": None},
    "network.yaml": {"FlowLogs": BOTH, "AccessLogs": BOTH},
}


def main() -> int:
    """Check the templates, and take the screenshot."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    with tempfile.TemporaryDirectory() as directory:
        for name, buckets in TEMPLATES.items():
            Path(directory, name).write_text(
                "Resources:\n" + "".join(_bucket(*each) for each in buckets.items())
            )
        check = [sys.executable, "-m", "secure_bucket", "check", ".", "--quiet", "--format", "html"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1795910400"}
        subprocess.run([*check, "--output", "report.html"], cwd=directory, env=environment)
        TARGET.parent.mkdir(exist_ok=True)
        browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        size = [f"--screenshot={TARGET}", "--window-size=1100,760"]
        subprocess.run([*browser, *size, "report.html"], cwd=directory, check=True, capture_output=True)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")
    return 0


def _bucket(name: str, resource: str | None) -> str:
    policy = "" if resource is None else DENY.format(name, resource.format(name))
    return f"  {name}:\n    Type: AWS::S3::Bucket\n{policy}"


if __name__ == "__main__":
    raise SystemExit(main())
