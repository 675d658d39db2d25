"""Bytes from receivers, controls and panels become `Reading` or `Rejected`. Pure."""
