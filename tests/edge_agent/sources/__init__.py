"""Tests of `edge_agent.sources`."""
