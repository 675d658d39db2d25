"""Rules about what Python modules do: clocks, sleeps, mocks, broad catches, sizes, names, docstrings."""

import ast

from tests.tidy.sources import Rule, dotted, imports, is_python, is_shipped, is_test, module_name, within

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
EMPTY_NAMES = frozenset("utils util helpers helper manager managers handler handlers base common misc".split())
HOLLOW_CLASS_ENDINGS = ("Manager", "Handler", "Helper", "Helpers", "Utils")
SUPERVISORS = frozenset({"edge_agent/agent.py", "cloud/app.py"})
"""The two that may catch everything, since they log it and restart what failed."""
PAUSES_FOR_ALL = "tests/waiting.py"
WALL_CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
BROAD = frozenset({"Exception", "BaseException"})

_long_module = "x = 1\n" * (MODULE_LINES_MAX + 1)
_long_function = "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX


def own_clocks(path: str, text: str) -> list[str]:
    """Uses of the operating system's time that should go through a Clock."""
    tree = ast.parse(text)
    found = []
    if is_shipped(path):
        found = [
            f"{path}:{line} imports {name}: take a Clock"
            for line, name in imports(tree, module_name(path))
            if within(name, frozenset({"time"}))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node).endswith(WALL_CLOCKS):
            found.append(f"{path}:{node.lineno} reads the wall clock: take a Clock")
    return found


def sleeps(path: str, text: str) -> list[str]:
    """Pauses by a fixed time. `asyncio.sleep(0)`, which only lets others run, is none."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and dotted(node.func).endswith(
            ("time.sleep", "asyncio.sleep", ".wait_for_timeout")
        ):
            yields = dotted(node.func) == "asyncio.sleep" and [ast.unparse(a) for a in node.args] == ["0"]
            if not yields:
                found.append(f"{path}:{node.lineno} sleeps: wait for a condition, or take a Clock")
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "sleep" for alias in node.names):
            found.append(f"{path}:{node.lineno} imports a sleep")
    return found


def mocks(path: str, text: str) -> list[str]:
    """Imports of a mocking library, and its fixture."""
    tree = ast.parse(text)
    found = [
        f"{path}:{line} imports {name}: use the real thing"
        for line, name in imports(tree, module_name(path))
        if within(name, frozenset({"mock", "unittest.mock", "pytest_mock"}))
    ]
    return found + [f"{path}:{n.lineno} mocks" for n in ast.walk(tree) if isinstance(n, ast.arg) and n.arg == "mocker"]


def broad_catches(path: str, text: str) -> list[str]:
    """Handlers that take any failure and do not raise it again."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node):
            found.append(f"{path}:{node.lineno} catches everything: only the supervisors may")
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress") and any(map(_is_broad, node.args)):
            found.append(f"{path}:{node.lineno} suppresses everything")
    return found


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or dotted(caught).removeprefix("builtins.") in BROAD


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def sizes(path: str, text: str) -> list[str]:
    """Modules and functions that hold two ideas."""
    lines = len(text.splitlines())
    found = [f"{path} has {lines} lines: split it"] if lines > MODULE_LINES_MAX else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                found.append(f"{path}:{node.lineno} {node.name} has {length} lines: split it")
    return found


def empty_names(path: str, text: str) -> list[str]:
    """Modules, packages and classes whose names say nothing."""
    words = {word for part in module_name(path).split(".") for word in part.split("_")}
    found = [f"{path} is named {word}: say what it holds" for word in sorted(words & EMPTY_NAMES)]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name.endswith(HOLLOW_CLASS_ENDINGS):
            found.append(f"{path}:{node.lineno} is named {node.name}: say what it does")
    return found


def silent_tests(path: str, text: str) -> list[str]:
    """Tests that do not say what truth they prove."""
    return [
        f"{path}:{node.lineno} {node.name} states no truth"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
        and not ast.get_docstring(node)
    ]


HABITS = (
    Rule(
        forbids="clocks of one's own",
        complaints=own_clocks,
        holds_for=lambda path: is_python(path) and not path.endswith("/clock.py"),
        broken_by=(
            ("cloud/app.py", "import time"),
            ("cloud/app.py", "from time import monotonic"),
            ("cloud/app.py", "from datetime import datetime\nx = datetime.now()"),
            ("tests/test_x.py", "import time\nx = time.time()"),
            ("benchmarks/x.py", "import datetime as dt\nx = dt.datetime.now(dt.UTC)"),
        ),
    ),
    Rule(
        forbids="sleeps",
        complaints=sleeps,
        holds_for=lambda path: is_python(path) and not path.endswith("/clock.py") and path != PAUSES_FOR_ALL,
        broken_by=(
            ("tests/test_x.py", "import time\ntime.sleep(1)"),
            ("tests/test_x.py", "import asyncio\nasync def f():\n    await asyncio.sleep(0.1)"),
            ("cloud/app.py", "import asyncio\nasync def f(pause_s):\n    await asyncio.sleep(pause_s)"),
            ("tests/test_x.py", "from asyncio import sleep"),
            ("tests/browser/test_x.py", "page.wait_for_timeout(100)"),
        ),
    ),
    Rule(
        forbids="mocks",
        complaints=mocks,
        holds_for=is_test,
        broken_by=(
            ("tests/test_x.py", "from unittest import mock"),
            ("tests/test_x.py", "from unittest.mock import patch"),
            ("tests/test_x.py", "def test_x(mocker):\n    pass"),
        ),
    ),
    Rule(
        forbids="broad catches",
        complaints=broad_catches,
        holds_for=lambda path: is_python(path) and path not in SUPERVISORS,
        broken_by=(
            ("cloud/feeds/sse.py", "try:\n    f()\nexcept Exception:\n    pass"),
            ("cloud/feeds/sse.py", "try:\n    f()\nexcept:\n    pass"),
            ("cloud/feeds/sse.py", "try:\n    f()\nexcept (OSError, BaseException) as e:\n    print(e)"),
            ("cloud/feeds/sse.py", "with contextlib.suppress(Exception):\n    f()"),
        ),
    ),
    Rule(
        forbids="modules and functions of two ideas",
        complaints=sizes,
        holds_for=is_python,
        broken_by=(("cloud/app.py", _long_module), ("cloud/app.py", _long_function)),
    ),
    Rule(
        forbids="names that say nothing",
        complaints=empty_names,
        holds_for=is_python,
        broken_by=(
            ("cloud/utils.py", ""),
            ("edge_agent/common/__init__.py", ""),
            ("cloud/log_helpers.py", ""),
            ("cloud/app.py", "class FeedManager:\n    pass"),
        ),
    ),
    Rule(
        forbids="tests that state no truth",
        complaints=silent_tests,
        holds_for=is_test,
        broken_by=(
            ("tests/test_x.py", "def test_x():\n    pass"),
            ("tests/test_x.py", "class TestX:\n    async def test_x(self):\n        pass"),
        ),
    ),
)
