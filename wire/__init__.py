"""What devices, the cloud and the feed's readers say to each other: topics, messages, status schemes, codec. Pure."""
