"""The fleet: clocks, freshness, positions, heads, confidence, and what time alone changes."""
