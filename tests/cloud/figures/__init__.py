"""Figures of what the board showed."""
