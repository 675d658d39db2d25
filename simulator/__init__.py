"""A county that runs by itself: it drives the real agent over real sockets."""
