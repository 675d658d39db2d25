"""The project's files, and what the rules are made of."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.programs import require_program

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("wire", "edge_agent", "cloud", "simulator")
PACKAGES = (*SHIPPED, "kit", "benchmarks", "tests")


@dataclass(frozen=True)
class Rule:
    """A rule about one file: what it forbids, where it holds, and samples of code that break it."""

    forbids: str
    complaints: Callable[[str, str], list[str]]
    """Given a path from the root and the file's text: what is wrong, a line each."""
    holds_for: Callable[[str], bool]
    broken_by: tuple[tuple[str, str], ...]
    """Paths and texts that must each draw a complaint."""


def project_files() -> list[str]:
    """Paths from the root of every file that is or would be committed, in order."""
    git = require_program("git")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def is_python(path: str) -> bool:
    """Whether it is one of our Python modules."""
    return path.endswith(".py") and path.split("/")[0] in PACKAGES


def is_shipped(path: str) -> bool:
    """Whether it is a Python module of the product, not of its tests or benchmarks."""
    return path.endswith(".py") and path.split("/")[0] in SHIPPED


def is_test(path: str) -> bool:
    """Whether it is a Python module of the tests."""
    return path.endswith(".py") and path.startswith("tests/")


def module_name(path: str) -> str:
    """`cloud/fleet/fold.py` is `cloud.fleet.fold`; a package's `__init__` is the package."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def imports(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Line and full name of each thing imported: `from a import b` is `a.b`. `module` resolves the relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def within(name: str, packages: frozenset[str]) -> bool:
    """Whether `name` is one of `packages` or something in one."""
    return any(name == package or name.startswith(package + ".") for package in packages)
