"""Of the wire contract."""
