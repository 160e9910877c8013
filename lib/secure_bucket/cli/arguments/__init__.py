"""The arguments of each command, and the words of its help: one module for each, that loads nothing else."""
