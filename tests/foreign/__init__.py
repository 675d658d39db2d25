"""Programs that others wrote follow what we publish: nothing of ours is between them and the wire."""
