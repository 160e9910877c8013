"""Judge a synthesized app and report to `cdk synth`."""
