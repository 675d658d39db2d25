"""Plays seeded scenarios and tells what did not hold.

`python -m simulator.explore --seeds 2000` plays seeds 0 to 1999 on every core, and prints one JSON object on the last
line: `seeds` played and `violations` found. Exit code 1 where there is any. `--replay SEED` plays one and prints its
story: every fault, press, message lost and lamp, line by line.
"""

import argparse
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from typing import Any

import structlog

from cloud.clock import SystemClock
from simulator.scenario.scenario import Outcome, play

FAILED_SHOWN_MAX = 20
_clock = SystemClock()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.explore", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many scenarios (default 100)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first of them (default 0)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="at once (default: the cores)"
    )
    parser.add_argument("--stop", action="store_true", help="stop at the first seed that fails")
    parser.add_argument("--replay", type=int, metavar="SEED", help="play this one alone and print its story")
    asked = parser.parse_args()
    _fix_hashes()
    _be_quiet()
    sys.exit(_replay(asked.replay) if asked.replay is not None else _explore(asked))


def _replay(seed: int) -> int:
    outcome = play(seed, told=True)
    print("\n".join(outcome.story))
    for one in outcome.violations:
        print(f"{one.at_s:10.3f}  VIOLATION  {one.rule}: {one.text}")
    print(json.dumps({"seed": seed, "violations": len(outcome.violations)}))
    return 1 if outcome.violations else 0


def _explore(asked: argparse.Namespace) -> int:
    started_s = _clock.monotonic()
    seen: list[Outcome] = []
    failed: list[Outcome] = []
    for outcome in _played(asked):
        seen.append(outcome)
        if outcome.violations:
            failed.append(outcome)
            first = outcome.violations[0]
            if len(failed) <= FAILED_SHOWN_MAX:
                print(f"seed {outcome.seed} at {first.at_s} s: {first.rule}: {first.text}")
            if asked.stop:
                break
        if len(seen) % 100 == 0:
            left_s = (_clock.monotonic() - started_s) / len(seen) * (asked.seeds - len(seen))
            print(f"{len(seen)} of {asked.seeds} played, {len(failed)} failed, about {left_s:.0f} s left", flush=True)
    if failed:
        print(f"For the story of a seed: python -m simulator.explore --replay {failed[0].seed}")
    print(json.dumps(_figures(seen, failed, _clock.monotonic() - started_s)))
    return 1 if failed else 0


def _played(asked: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(asked.first, asked.first + asked.seeds)
    if asked.jobs == 1:
        yield from map(play, seeds)
        return
    with get_context("fork").Pool(asked.jobs, initializer=_be_quiet, maxtasksperchild=200) as pool:
        yield from pool.imap(play, seeds, chunksize=1)


def _figures(seen: list[Outcome], failed: list[Outcome], took_s: float) -> dict[str, Any]:
    faults: Counter[str] = Counter()
    for outcome in seen:
        faults.update(outcome.faults.counts)
    return {
        "seeds": len(seen),
        "violations": sum(len(outcome.violations) for outcome in failed),
        "failed_seeds": [outcome.seed for outcome in failed][:FAILED_SHOWN_MAX],
        "presses": sum(outcome.presses for outcome in seen),
        "confirmed": sum(outcome.confirmed for outcome in seen),
        "checks": sum(outcome.steps for outcome in seen),
        "virtual_hours": round(sum(outcome.virtual_s for outcome in seen) / 3600, 1),
        "took_s": round(took_s, 1),
        "faults": dict(sorted(faults.items())),
    }


def _fix_hashes() -> None:
    """Begin anew with hashes that are the same in every process: the order in which sets are walked is chance too."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, os.environ | {"PYTHONHASHSEED": "0"})


def _be_quiet() -> None:
    """What the code under test logs is not wanted: thousands of faults are made on purpose."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False
    )
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    main()
