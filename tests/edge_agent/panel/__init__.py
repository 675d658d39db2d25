"""The touch page, served by its own server over the real lamps."""
