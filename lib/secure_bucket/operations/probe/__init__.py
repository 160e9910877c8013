"""The parts of a probe: the requests, how they travel, what came back, and what it means."""
