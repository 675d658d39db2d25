"""What the device listens to: one module per kind of source, each a thin shell that emits readings."""
