"""Tests of the turnout."""
