"""Ports for servers of tests."""

import secrets
import socket


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago, and that no connection is given by chance.

    It lies below the range from which Linux takes ports for connections: tests beside this one make hundreds.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
