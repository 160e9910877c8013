"""The command line: `secure-bucket check`, `prove`, `explain`."""
