"""Tests of `edge_agent.state`."""
