"""Tests of `edge_agent.decode`."""
