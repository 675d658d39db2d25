"""Breaks copies of the source on purpose, and tells whether the scenarios see it.

`python -m simulator.mutants` applies each patch of `simulator/mutations` to a copy of the source, and explores it
until a seed fails. A seed counts where it passes on the source as it was when the command began. The last line is one
JSON object: `mutations`, `caught`, and `by`, how many seeds each took (null for one that survived). Exit code 1 where
one survives.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
PATCHES = Path(__file__).resolve().parent / "mutations"
PACKAGES = ("wire", "edge_agent", "cloud", "simulator")
SEED_S = 30.0
"""Far above what a scenario takes: a copy that takes longer than this a seed stands still."""
START_S = 60.0


class Mutation(msgspec.Struct, frozen=True):
    """One mistake, as a patch."""

    name: str
    breaks: str
    """The mistake, in a sentence."""
    path: Path


class Unfit(Exception):
    """A mutation cannot be tried: its patch does not apply, or its copy does not run. Says why in one line."""


class Failed(msgspec.Struct, frozen=True):
    """The first seed at which a source failed, and what did not hold there."""

    seed: int
    what: str


class _Figures(msgspec.Struct):
    seeds: int
    violations: int
    failed_seeds: list[int]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many scenarios each (default 100)")
    parser.add_argument("--only", metavar="NAME", help="try this one alone")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="at once (default: the cores)"
    )
    asked = parser.parse_args()
    mutations = [one for one in load_mutations() if asked.only in (None, one.name)]
    if not mutations:
        parser.error(f"no mutation is called {asked.only}; there are {', '.join(m.name for m in load_mutations())}")
    with tempfile.TemporaryDirectory(prefix="watchroom-sound-") as name:
        sound = Path(name)
        copy_source(ROOT, sound)
        by = {one.name: _try(one, sound, range(asked.seeds), asked.jobs) for one in mutations}
    caught = sum(seeds is not None for seeds in by.values())
    print(json.dumps({"mutations": len(by), "caught": caught, "by": by}))
    sys.exit(0 if caught == len(by) else 1)


def load_mutations(folder: Path = PATCHES) -> list[Mutation]:
    """Read the mutations of a folder, by name. Each begins with a line that says what it breaks."""
    patches = sorted(folder.glob("*.patch"))
    return [Mutation(one.stem, one.read_text(encoding="utf-8").partition("\n")[0], one) for one in patches]


@contextlib.contextmanager
def broken_copy(sound: Path, mutation: Mutation) -> Iterator[Path]:
    """Give a copy of a sound source with the mutation in it. Raises `Unfit`."""
    with tempfile.TemporaryDirectory(prefix="watchroom-mutant-") as name:
        folder = Path(name)
        copy_source(sound, folder)
        apply_patch(mutation, folder)
        _check_wins(folder)
        yield folder


def copy_source(source: Path, folder: Path) -> None:
    """Copy the packages that a scenario is made of."""
    for package in PACKAGES:
        shutil.copytree(source / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def apply_patch(mutation: Mutation, folder: Path, *, only_check: bool = False) -> None:
    """Apply a mutation to the source in a folder. Raises `Unfit`."""
    git = shutil.which("git")
    if git is None:
        raise Unfit("git is not installed: it applies the patches")
    command = [git, "apply", *(["--check"] if only_check else []), str(mutation.path)]
    known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    around = {**known, "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}  # whatever repository is around it
    done = subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unfit(f"{mutation.path.name} does not apply to this source: {done.stderr.strip().splitlines()[0]}")


def explore(folder: Path, seeds: range, jobs: int) -> Failed | None:
    """Explore the source in a folder at consecutive seeds. Gives the first that fails. Raises `Unfit`."""
    asked = ["--first", str(seeds.start), "--seeds", str(len(seeds)), "--jobs", str(jobs), "--stop"]
    said = run_python(folder, ["-m", "simulator.explore", *asked], START_S + SEED_S * len(seeds))
    try:
        verdict = next((line for line in reversed(said) if line.startswith("{")), "")
        figures = msgspec.json.decode(verdict, type=_Figures)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Unfit(f"the scenarios broke off instead of giving a verdict: {' '.join(said[-1:])}") from error
    if not figures.failed_seeds:
        return None
    found = next((line for line in said if line.startswith(f"seed {figures.failed_seeds[0]} at ")), "")
    return Failed(figures.failed_seeds[0], found.partition(" s: ")[2])


def catch(sound: Path, broken: Path, seeds: range, jobs: int) -> Failed | None:
    """Look for a seed that fails in a broken source and passes in the sound one. Raises `Unfit`."""
    while seeds:
        failed = explore(broken, seeds, jobs)
        if failed is None:
            return None
        before = explore(sound, range(failed.seed, failed.seed + 1), 1)
        if before is None:
            return failed
        print(f"seed {failed.seed} proves nothing: it fails without the mutation too: {before.what}", flush=True)
        seeds = range(failed.seed + 1, seeds.stop)
    return None


def _try(mutation: Mutation, sound: Path, seeds: range, jobs: int) -> int | None:
    """Try a mutation and say what came of it. Gives how many seeds it took."""
    try:
        with broken_copy(sound, mutation) as broken:
            failed = catch(sound, broken, seeds, jobs)
    except Unfit as error:
        print(f"{mutation.name}: NOT TRIED: {error}", flush=True)
        return None
    if failed is None:
        print(f"{mutation.name}: SURVIVED {len(seeds)} seeds: {mutation.breaks}", flush=True)
        return None
    print(f"{mutation.name}: caught by seed {failed.seed}: {failed.what}", flush=True)
    return failed.seed - seeds.start + 1


def _check_wins(folder: Path) -> None:
    """Make sure that Python takes the copy, and not the source that is installed."""
    imported = f"import {', '.join(PACKAGES)}; print(*({', '.join(f'{one}.__file__' for one in PACKAGES)},), sep='\\n')"
    said = run_python(folder, ["-c", imported], START_S)
    astray = [line for line in said if folder.resolve() not in Path(line).resolve().parents]
    if astray or len(said) != len(PACKAGES):
        raise Unfit(f"the copy is not what Python imports: {' '.join(astray)}")


def run_python(folder: Path, arguments: list[str], within_s: float) -> list[str]:
    """Run Python with a folder's packages, and give the lines that it printed. Raises `Unfit` where it never ends."""
    around = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=around,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired as error:
        raise Unfit(f"it stands still: no end within {within_s:.0f} s") from error
    finally:
        _end(process)
    return said.splitlines()


def _end(process: subprocess.Popen[str]) -> None:
    """End it with everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()
