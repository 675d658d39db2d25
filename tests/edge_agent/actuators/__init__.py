"""Tests of what the device makes happen in its world."""
