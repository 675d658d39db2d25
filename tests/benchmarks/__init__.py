"""The benchmarks keep to the protocol, and count what they say they count."""
