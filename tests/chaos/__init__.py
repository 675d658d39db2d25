"""Real processes, real disks and real networks, broken on purpose. `python -m tests.chaos.proof` runs it at length."""
