"""Open AWS sessions, find accounts, and report what AWS refuses."""
