"""Scenarios: the real agent, ingest and fleet under a virtual clock, through seeded faults, watched by checkers."""
