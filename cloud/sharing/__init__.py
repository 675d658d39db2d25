"""What may be seen of a unit by whom, and who may move it: agreements as data, default deny. Pure."""
