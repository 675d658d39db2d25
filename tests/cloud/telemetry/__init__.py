"""Telemetry: the port, held to by every adapter, and what DuckDB alone has to stand."""
