"""What the device makes happen in its world: the panel's lamps and notice."""
