"""Tests mirror the packages. The docstring of each test states the truth it proves."""
