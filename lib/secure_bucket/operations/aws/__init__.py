"""Open AWS sessions, find accounts, and report the errors of AWS."""
