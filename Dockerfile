# The command line, for an unprivileged user on a read-only root:
#   docker build -t secure-bucket . && docker run --rm --read-only -v "$PWD:/work:ro" secure-bucket check .
# The digest is that of the index for all architectures, as in `Dockerfile` of github.com/CISOToolbox/demo-docker.
FROM python:3.13-slim@sha256:6771159cd4fa5d9bba1258caf0b82e6b73458c694d178ad97c5e925c2d0e1a91 AS build
WORKDIR /source
COPY setup.py pyproject.toml README.md LICENSE ./
COPY lib lib
RUN python -m venv /opt/secure-bucket && /opt/secure-bucket/bin/pip install --no-cache-dir .

FROM python:3.13-slim@sha256:6771159cd4fa5d9bba1258caf0b82e6b73458c694d178ad97c5e925c2d0e1a91
COPY --from=build /opt/secure-bucket /opt/secure-bucket
ENV PATH=/opt/secure-bucket/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["secure-bucket"]
CMD ["help"]
