"""Runs WireViz, which draws the cables with graphviz, and takes out of its drawings all that varies.

WireViz is under the GPL: it is run as a program of its own, and never imported.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from kit.harness import harness
from kit.pinmap import Pinmap

RUN_S_MAX = 60
"""How long WireViz may take for all the cables of a device; it takes about a second."""
_LEFT_OUT = re.compile(r"<!DOCTYPE.*?>\s*|<!--.*?-->\s*|<title>.*?</title>\s*", re.DOTALL)
"""The document type, comments that name versions, and what would pop up over each box."""
_GRAPHVIZ = re.compile(r"graphviz version (\S+)")
_DRAWN_BY = re.compile(r"Drawn by (.*?)\.</desc>")
_OPENING = re.compile(r"<svg [^>]*?>")


class CannotDraw(Exception):
    """A drawing can't be made: one line that says why, and what to do."""


def drawings(pinmap: Pinmap) -> dict[str, str]:
    """Draw each cable of a pin map that `check` has passed: the file's name, and its SVG. Raises CannotDraw."""
    titles = {f"harness-{cable.name}.svg": f"{pinmap.board.title}: {cable.title}" for cable in pinmap.cable}
    return {name: _settled(svg, titles[name]) for name, svg in draw(harness(pinmap)).items()}


def drawn_by(svg: str) -> str:
    """What drew it, as it says of itself: with the same programs and font the same bytes come out."""
    found = _DRAWN_BY.search(svg)
    return found.group(1) if found else ""


def draw(texts: Mapping[str, str]) -> dict[str, str]:
    """What WireViz makes of each NAME.yml, as NAME.svg. Raises CannotDraw."""
    wireviz = Path(sys.executable).with_name("wireviz")
    if not wireviz.exists():
        raise CannotDraw(f"{wireviz.name} is not beside {Path(sys.executable).name}: make setup")
    if shutil.which("dot") is None:
        raise CannotDraw("dot is not installed, and draws the cables: apt install graphviz")
    with TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        command = [str(wireviz), "--format", "s", *texts]
        try:
            ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=RUN_S_MAX)
        except subprocess.TimeoutExpired as error:
            raise CannotDraw(f"wireviz was not done in {RUN_S_MAX} s") from error
        if ran.returncode != 0:
            raise CannotDraw(f"wireviz says: {(ran.stderr.strip().splitlines() or ['nothing'])[-1]}")
        return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.svg"))}


def _settled(svg: str, title: str) -> str:
    """The drawing with a title of its own, and without what differs from machine to machine or from day to day."""
    version = _GRAPHVIZ.search(svg)
    by = f"graphviz {version.group(1) if version else 'of no version'} in {_font()}"
    says = f"Generated from pinmap.toml; not built, and not tested. Drawn by {by}."
    bare = _LEFT_OUT.sub("", svg)
    note = f"<title>{escape(title)}</title>\n<desc>{escape(says)}</desc>"
    return _OPENING.sub(lambda found: f"{found.group()}\n{note}", bare, count=1)


def _font() -> str:
    """The font by which graphviz measures what is to be in Arial, if fontconfig's own program can tell."""
    program = shutil.which("fc-match")
    if program is None:
        return "an unknown font"
    asked = [program, "--format=%{family[0]}", "arial"]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=RUN_S_MAX).stdout or "no font"
