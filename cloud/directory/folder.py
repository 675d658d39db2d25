"""Reads the directory's folder. What it means is `build.py`'s business."""

from pathlib import Path

import msgspec

from cloud.directory import schemes
from cloud.directory.build import build
from cloud.directory.rows import Directory
from cloud.errors import Fatal
from wire.strict import Problem


class DirectoryInvalid(Fatal):
    """The directory can't be used. The text names the folder, then has one line for each error."""


def load(folder: Path) -> Directory:
    """Load the directory from `folder`'s `*.toml` and `schemes/*.toml`.

    Raises DirectoryInvalid with every error at once, each with its file, its path in the file and what would be right.
    """
    try:
        texts, problems = schemes.read_texts(folder)
        site, site_problems = _read_site(folder / schemes.SITE_FOLDER)
    except OSError as error:
        raise DirectoryInvalid(
            f"{error.filename}: {error.strerror}. It must be a folder of TOML files: docs/directory.example shows one"
        ) from error
    problems += site_problems
    if not texts and not problems:
        raise DirectoryInvalid(
            f"{folder}: has no *.toml: name organisations, bases, units, devices there, as docs/directory.example does"
        )
    found = build(texts, schemes.read_packaged(), site, unread=problems)
    if isinstance(found, tuple):
        raise DirectoryInvalid("\n".join([f"{folder}:", *(f"  {problem}" for problem in found)]))
    return found


def _read_site(folder: Path) -> tuple[dict[str, str], tuple[Problem, ...]]:
    if not folder.exists():
        return {}, ()
    texts, problems = schemes.read_texts(folder)
    prefix = f"{folder.name}/"
    return (
        {prefix + name: text for name, text in texts.items()},
        tuple(msgspec.structs.replace(problem, path=prefix + problem.path) for problem in problems),
    )
