"""The feed: what a client receives, and that it receives it."""
