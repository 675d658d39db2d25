"""Tests of the desk: the orders in hand."""
