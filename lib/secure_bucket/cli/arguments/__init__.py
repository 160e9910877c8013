"""Define the arguments and the help of each command, in a module that loads nothing else."""
