"""The scenarios: that they hold, that they can be played again, and that they see what is broken on purpose."""
