"""Tests of the device kit: its pin maps, and what is generated from them."""
