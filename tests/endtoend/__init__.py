"""From the press or the receiver to the feed, over a real broker."""
