"""Tests of the routes, over HTTP, on a whole site."""
