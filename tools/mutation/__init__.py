"""Change the code that decides a verdict in small ways, and check that a test fails."""
