"""Of the assembling of devices."""
