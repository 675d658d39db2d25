"""Tests of `edge_agent.station`."""
