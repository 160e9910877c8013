"""Change the code that decides a verdict in small ways, and see that some test fails."""
