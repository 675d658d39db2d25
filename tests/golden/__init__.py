"""Messages as they were released. They decode for ever."""
