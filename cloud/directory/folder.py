"""Reads the directory's folder. What it means is `build.py`'s business."""

from pathlib import Path

import msgspec

from cloud.directory import areas, schemes
from cloud.directory.build import build, version_of
from cloud.directory.rows import Directory
from cloud.errors import Fatal
from wire.strict import Problem

_ALSO_READ = ((schemes.SITE_FOLDER, "*.toml"), (areas.FILES, "*.geojson"))
"""What is read beside the folder's own `*.toml`."""


class DirectoryInvalid(Fatal):
    """The directory can't be used. The text names the folder, then has one line for each error."""

    def __init__(self, folder: Path, problems: tuple[Problem, ...]) -> None:
        """Keep `problems`, at least one. One about the folder as a whole has no path."""
        whole = [problem for problem in problems if not problem.path]
        lines = [f"{folder}: {problem.problem}. {problem.expected}" for problem in whole]
        others = [f"  {problem}" for problem in problems if problem.path]
        super().__init__("\n".join([*lines, *([f"{folder}:", *others] if others else [])]))
        self.problems = problems


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """What the files say, by their names, and which of them can't be read."""

    files: dict[str, str]
    schemes: dict[str, str]
    areas: dict[str, str]
    unread: tuple[Problem, ...]

    @property
    def version(self) -> str:
        """That of the directory that is made of them."""
        return version_of({**self.files, **self.schemes, **self.areas})


def load(folder: Path) -> Directory:
    """Load the directory from `folder`'s `*.toml`, `schemes/*.toml` and `areas/*.geojson`.

    Raises DirectoryInvalid with every error at once, each with its file, its path in the file and what would be right.
    """
    return make(folder, read(folder))


def read(folder: Path) -> Texts:
    """Read the files. Raises DirectoryInvalid where there is no such folder, or nothing in it."""
    try:
        texts, problems = schemes.read_texts(folder)
        site, site_problems = _read_inner(folder, *_ALSO_READ[0])
        ground, ground_problems = _read_inner(folder, *_ALSO_READ[1])
    except OSError as error:
        advice = "It must be a folder of TOML files: docs/directory.example shows one"
        raise DirectoryInvalid(folder, (Problem("", f"{error.strerror}", advice),)) from error
    problems += site_problems + ground_problems
    if not texts and not problems:
        advice = "Name organisations, bases, units and devices there, as docs/directory.example does"
        raise DirectoryInvalid(folder, (Problem("", "has no *.toml", advice),))
    return Texts(files=texts, schemes=site, areas=ground, unread=problems)


def make(folder: Path, texts: Texts) -> Directory:
    """Make the directory of what was read. Raises DirectoryInvalid as `load` does."""
    found = build(texts.files, schemes.read_packaged(), texts.schemes, texts.areas, unread=texts.unread)
    if isinstance(found, tuple):
        raise DirectoryInvalid(folder, found)
    return found


def look(folder: Path) -> dict[str, tuple[int, int]]:
    """Tell size and time of the last change, in ns, of each file that `load` reads. Empty where there is no folder."""
    seen = {}
    for inner, pattern in (("", "*.toml"), *_ALSO_READ):
        try:
            paths = [path for path in (folder / inner).glob(pattern) if path.name[0] != "."]
        except OSError:
            continue
        for path in paths:
            try:
                stat = path.stat()
            except OSError:
                continue  # gone meanwhile, or a link to nothing: `load` says so
            seen[str(path.relative_to(folder))] = (stat.st_size, stat.st_mtime_ns)
    return seen


def _read_inner(folder: Path, name: str, pattern: str) -> tuple[dict[str, str], tuple[Problem, ...]]:
    inner = folder / name
    if not inner.exists():
        return {}, ()
    texts, problems = schemes.read_texts(inner, pattern)
    return (
        {f"{name}/{file}": text for file, text in texts.items()},
        tuple(msgspec.structs.replace(problem, path=f"{name}/{problem.path}") for problem in problems),
    )
