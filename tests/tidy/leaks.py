"""Rules about what must not be committed: addresses of registries, paths of one machine, keys, leftovers.

The patterns are written in pieces, so that this file doesn't break its own rules.
"""

import re

from tests.tidy.sources import Rule

REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
)
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/" + r"(work|farm|root|home/[a-z])/", re.MULTILINE)
LEFT_BEHIND = (".orig", ".rej", ".bak", ".swp", ".tmp", ".part", "~")
"""Endings of what editors, merges and broken-off writes leave. What stands in a package is shipped with it."""
PRIVATE_KEY = re.compile("-----BEGIN " + "[A-Z ]*PRIVATE KEY-----")


def leaks(path: str, text: str) -> list[str]:
    """Registry hosts, paths of one machine and private keys, wherever they stand."""
    found = [f"{path} names the registry {host}" for host in REGISTRIES if host in text]
    found += [f"{path} names a path of one machine: {m.group().strip()}" for m in MACHINE_PATH.finditer(text)]
    return found + [f"{path} holds a private key" for _ in PRIVATE_KEY.finditer(text)]


def addresses(path: str, text: str) -> list[str]:
    """Addresses in a lock: it pins by hash alone, so that any index will do. A page that asks for money is one too."""
    return [f"{path} names an address: {address}" for address in re.findall(r"(?:https?|file)://\S*", text)]


def leftovers(path: str, text: str) -> list[str]:
    """Files that some program left behind, which nobody wrote to be read."""
    return [f"{path} was left behind: delete it"] if path.endswith(LEFT_BEHIND) else []


LEAKS = (
    Rule(
        forbids="files left behind",
        complaints=leftovers,
        holds_for=lambda path: True,
        broken_by=(("edge_agent/agent.py" + LEFT_BEHIND[0], ""), ("firmware_configs/tree/common/etc/fstab~", "")),
    ),
    Rule(
        forbids="registries, machine paths and private keys",
        complaints=leaks,
        holds_for=lambda path: True,
        broken_by=(
            ("README.md", "from https://" + REGISTRIES[0] + "/simple"),
            ("Makefile", "cp x /" + "work/y"),
            ("docs/a.md", "`/" + "root/.cache`"),
            ("tests/key.pem", "-----BEGIN RSA " + "PRIVATE KEY-----"),
            ("tests/key.pem", "-----BEGIN " + "PRIVATE KEY-----"),
        ),
    ),
    Rule(
        forbids="addresses in locks",
        complaints=addresses,
        holds_for=lambda path: path.endswith((".lock", "/package-lock.json", "/package.json")),
        broken_by=(
            ("requirements.lock", "--index-url https://mirror.example/simple"),
            ("tests/node/package-lock.json", '"funding": {"url": "https://mirror.example/sponsors/one"}'),
        ),
    ),
)
