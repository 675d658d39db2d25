"""The outbox against real files, real kills and full disks."""
