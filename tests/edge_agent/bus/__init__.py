"""The Modbus lines against a real server, a real serial line, and slaves that misbehave."""
