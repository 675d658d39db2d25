"""Breaks copies of the rules of sharing on purpose, and tells whether searching made-up worlds finds it.

`python -m simulator.disclosure.mutants` applies each patch of `simulator/mutations/sharing` to a copy of the source,
and reads worlds of it until something forbidden is found; in a world of the source as it is nothing may be found. The
last line is one JSON object: `mutations`, `caught`, and `by`, how many worlds each took (null for one that survived).
Exit code 1 where one survives.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from simulator.mutants import (
    PATCHES,
    ROOT,
    START_S,
    Mutation,
    Unfit,
    broken_copy,
    copy_source,
    load_mutations,
    run_python,
)

SHARING = PATCHES / "sharing"
WORLD_S = 5.0
"""Far above what a world takes."""


class Caught(msgspec.Struct, frozen=True):
    """The first world in which something was found, and what."""

    seed: int
    what: str


class _Figures(msgspec.Struct):
    worlds: int
    failed: list[int]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.disclosure.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--worlds", type=int, default=300, metavar="N", help="how many worlds each (default 300)")
    parser.add_argument("--only", metavar="NAME", help="try this one alone")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="at once (default: the cores)"
    )
    asked = parser.parse_args()
    mutations = [one for one in load_mutations(SHARING) if asked.only in (None, one.name)]
    if not mutations:
        parser.error(f"no mutation is called {asked.only}")
    with tempfile.TemporaryDirectory(prefix="watchroom-sound-") as name:
        sound = Path(name)
        copy_source(ROOT, sound)
        by = {one.name: _try(one, sound, asked.worlds, asked.jobs) for one in mutations}
    caught = sum(worlds is not None for worlds in by.values())
    print(json.dumps({"mutations": len(by), "caught": caught, "by": by}))
    sys.exit(0 if caught == len(by) else 1)


def search(folder: Path, seeds: range, jobs: int) -> Caught | None:
    """Read worlds of the source in a folder until something forbidden is found. Raises `Unfit`."""
    asked = ["--first", str(seeds.start), "--worlds", str(len(seeds)), "--jobs", str(jobs), "--stop"]
    said = run_python(folder, ["-m", "simulator.disclosure.matrix", *asked], START_S + WORLD_S * len(seeds))
    try:
        figures = msgspec.json.decode(next((line for line in reversed(said) if line[:1] == "{"), ""), type=_Figures)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Unfit(f"reading the worlds broke off: {' '.join(said[-1:])}") from error
    if not figures.failed:
        return None
    found = next((line for line in said if line.startswith(f"seed {figures.failed[0]} at ")), "")
    return Caught(figures.failed[0], found.partition(" s, ")[2])


def _try(mutation: Mutation, sound: Path, worlds: int, jobs: int) -> int | None:
    """Try a mutation and say what came of it. Gives how many worlds it took."""
    try:
        with broken_copy(sound, mutation) as broken:
            caught = search(broken, range(worlds), jobs)
        if caught is not None and search(sound, range(caught.seed, caught.seed + 1), 1) is not None:
            raise Unfit(f"world {caught.seed} proves nothing: something is found without the mutation too")
    except Unfit as error:
        print(f"{mutation.name}: NOT TRIED: {error}", flush=True)
        return None
    if caught is None:
        print(f"{mutation.name}: SURVIVED {worlds} worlds: {mutation.breaks}", flush=True)
        return None
    print(f"{mutation.name}: caught by world {caught.seed}: {caught.what}", flush=True)
    return caught.seed + 1


if __name__ == "__main__":
    main()
