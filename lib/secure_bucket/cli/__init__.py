"""The command line: `secure-bucket check`, `fix`, `prove`, `explain`."""
