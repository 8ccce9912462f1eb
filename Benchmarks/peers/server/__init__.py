"""The parts of ../server_load.py: one that runs the processes, one that talks to them, and a file for each load."""
