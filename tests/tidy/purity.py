"""What a pure room may import and call. An allow-list: what nobody thought of is forbidden."""

import ast

from tests.tidy.sources import Rule, dotted, imports, module_name, within

PURE_ROOMS = (
    "wire",
    "edge_agent.decode",
    "edge_agent.state",
    "edge_agent.station",
    "cloud.fleet",
    "cloud.sharing",
    "cloud.dispatch",
    "cloud.figures",
)
ALLOWED = frozenset(
    """
    __future__ base64 bisect collections dataclasses datetime difflib enum functools hashlib heapq itertools math
    msgspec numpy operator re shapely struct tomllib typing wire
    """.split()
) | frozenset(PURE_ROOMS)
"""Which pure room may use which is for the import contracts to say."""
WORLDLY_CALLS = frozenset({"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint"})
WALL_CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")


def room_of(path: str) -> str | None:
    """The pure room that the file at `path` is in, if any."""
    module = module_name(path)
    return next((room for room in PURE_ROOMS if within(module, frozenset({room}))), None)


def impurities(path: str, text: str) -> list[str]:
    """Imports outside the allow-list and calls that touch the world, but for those under `if __name__ == "__main__"`.

    That block lets a pure module be run as a script that writes what it computes; nobody who imports it runs it.
    """
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if not _is_script_block(node)]
    found = [
        f"{path}:{line} imports {name}" for line, name in imports(tree, _package(path)) if not within(name, ALLOWED)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in WORLDLY_CALLS:
            found.append(f"{path}:{node.lineno} uses {node.id}")
        elif isinstance(node, ast.Attribute) and dotted(node).endswith(WALL_CLOCKS):
            found.append(f"{path}:{node.lineno} reads the clock: {dotted(node)}")
    return found


def _package(path: str) -> str:
    """The name that relative imports count from: one level up is the package that the module is in."""
    return path.removesuffix(".py").replace("/", ".")


def _is_script_block(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


PURITY = Rule(
    forbids="worldly imports and calls in pure rooms",
    complaints=impurities,
    holds_for=lambda path: path.endswith(".py") and room_of(path) is not None,
    broken_by=(
        ("cloud/fleet/fold.py", "import time"),
        ("cloud/fleet/fold.py", "import os.path"),
        ("cloud/fleet/fold.py", "from cloud import clock"),
        ("cloud/fleet/fold.py", "from .. import config"),
        ("cloud/fleet/fold.py", "def f():\n    import random"),
        ("cloud/fleet/fold.py", "from datetime import datetime\nnow = datetime.now"),
        ("cloud/fleet/fold.py", "import datetime\nstamp = datetime.datetime.utcnow()"),
        ("edge_agent/decode/gpsd.py", "from edge_agent.sources import gpsd"),
        ("wire/schemes.py", "text = open('uk-fire.toml').read()"),
        ("wire/codec.py", "import wired"),
    ),
)
