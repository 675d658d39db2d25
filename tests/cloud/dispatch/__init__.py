"""Tests of orders, as values."""
