"""Starts and configures the embedded broker, and writes configurations for others. It moves no messages itself."""
