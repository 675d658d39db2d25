"""Reads the status schemes: the packaged ones, and a site's own over them."""

from importlib.resources import files
from pathlib import Path

from cloud.errors import Fatal
from wire.scheme import Scheme, assemble
from wire.strict import Problem

SITE_FOLDER = "schemes"
"""The folder inside the directory's folder in which a site keeps its own."""


class SchemesInvalid(Fatal):
    """A scheme can't be used. The text has one line for each error."""


def load_schemes(folder: Path | None = None) -> dict[str, Scheme]:
    """Load every scheme by name: packaged, and with those of `folder`'s `*.toml` over them.

    Raises SchemesInvalid, with every error at once.
    """
    site, problems = read_texts(folder) if folder is not None else ({}, ())
    schemes, more = assemble(read_packaged(), site)
    if problems or more:
        raise SchemesInvalid("\n".join(str(problem) for problem in (*problems, *more)))
    return schemes


def read_packaged() -> dict[str, str]:
    """Read the texts of the schemes that come with the program, by file name."""
    packaged = sorted((files("wire") / "schemes").iterdir(), key=lambda each: each.name)
    return {each.name: each.read_text("utf-8") for each in packaged if each.name.endswith(".toml")}


def read_texts(folder: Path, pattern: str = "*.toml") -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Read a folder's files of a pattern, by name in order, and tell what can't be read. Hidden files are left alone.

    Raises OSError where the folder itself can't be read.
    """
    texts: dict[str, str] = {}
    problems = []
    kind = "a GeoJSON file" if pattern.endswith("json") else "a TOML file"
    for path in sorted(each for each in folder.iterdir() if each.match(pattern) and each.name[0] != "."):
        try:
            path.name.encode("utf-8")
        except UnicodeEncodeError:
            shown = path.name.encode("ascii", "backslashreplace").decode("ascii")
            problems.append(Problem(shown, "has a name that is not in UTF-8", f"{kind} with a name in UTF-8"))
            continue
        try:
            texts[path.name] = path.read_text("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(path.name, "is not text in UTF-8", f"{kind} in UTF-8"))
        except OSError as error:
            problems.append(Problem(path.name, f"can't be read: {error.strerror}", "a readable file"))
    return texts, tuple(problems)
