"""Generated worlds of organisations, and the search for anything that one of them learns and may not know."""
