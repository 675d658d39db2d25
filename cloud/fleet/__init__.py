"""What stands for each unit: status, position, freshness, availability and confidence, each with its reasons. Pure."""
