"""The board page in a real browser, fed by a scripted feed."""
