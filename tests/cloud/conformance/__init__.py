"""The conformance checks: what conforms passes them, and what does not fails with a line that says where."""
