"""Searches what every organisation could read, in many made-up worlds, for anything that it may not know.

`python -m simulator.disclosure.matrix --worlds 5000` lives worlds 0 to 4999 through on every core, and prints one JSON
object on the last line: `worlds`, `bodies` and `bytes` searched, `forbidden` things found, and the `failed` seeds.
Exit code 1 where there is any. `--replay SEED` lives one world through and tells everything that was found.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator
from multiprocessing import get_context

import structlog

from cloud.clock import SystemClock
from simulator.disclosure.play import Verdict, play

FAILED_SHOWN_MAX = 20
TOLD_EVERY = 500
_clock = SystemClock()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.disclosure.matrix",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--worlds", type=int, default=100, metavar="N", help="how many worlds (default 100)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (default 0)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="at once (default: the cores)"
    )
    parser.add_argument("--stop", action="store_true", help="stop at the first world in which something was found")
    parser.add_argument("--replay", type=int, metavar="SEED", help="live this one through alone and tell all of it")
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, os.environ | {"PYTHONHASHSEED": "0"})  # sets are walked by chance too
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # refusals are the point
    sys.exit(_replay(asked.replay) if asked.replay is not None else _search(asked))


def _replay(seed: int) -> int:
    verdict = play(seed)
    print("\n".join(verdict.forbidden))
    print(json.dumps(_figures([verdict], 0.0)))
    return 1 if verdict.forbidden else 0


def _search(asked: argparse.Namespace) -> int:
    started_s = _clock.monotonic()
    seen: list[Verdict] = []
    failed = 0
    for verdict in _played(asked):
        seen.append(verdict)
        if verdict.forbidden:
            failed += 1
            if failed <= FAILED_SHOWN_MAX:
                print(f"seed {verdict.seed} at {verdict.forbidden[0]}", flush=True)
            if asked.stop:
                break
        if len(seen) % TOLD_EVERY == 0:
            print(f"{len(seen)} of {asked.worlds} worlds, {failed} failed", flush=True)
    print(json.dumps(_figures(seen, _clock.monotonic() - started_s)))
    return 1 if failed else 0


def _played(asked: argparse.Namespace) -> Iterator[Verdict]:
    seeds = range(asked.first, asked.first + asked.worlds)
    if asked.jobs == 1:
        yield from map(play, seeds)
        return
    with get_context("fork").Pool(asked.jobs, maxtasksperchild=500) as pool:
        yield from pool.imap(play, seeds, chunksize=1 if asked.stop else 8)


def _figures(seen: list[Verdict], took_s: float) -> dict[str, object]:
    return {
        "worlds": len(seen),
        "bodies": sum(one.bodies for one in seen),
        "bytes": sum(one.bytes for one in seen),
        "forbidden": sum(len(one.forbidden) for one in seen),
        "failed": [one.seed for one in seen if one.forbidden][:FAILED_SHOWN_MAX],
        "took_s": round(took_s, 1),
    }


if __name__ == "__main__":
    main()
