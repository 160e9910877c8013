"""Send the requests of a probe, read the answers, and compare them."""
