"""Figures of what the board showed: who stood how for how long, when nothing was known, how fast crews turn out. Pure.

words.py has what goes in and what comes out.
changes ─▶ slices (timeline.py) ─▶ Tally (tally.py, hours.py) ─▶ Statistics
calls ─▶ count_turnout (turnout.py). `tabulate` (table.py) writes the same figures as lines.

Nothing of a test, a training, a maintenance or a commissioning counts; how much was left out is said.
"""

from cloud.figures.table import tabulate
from cloud.figures.tally import Tally
from cloud.figures.turnout import count_turnout
from cloud.figures.words import Call, Change, Scope, Stand, Statistics, Window

__all__ = ["Call", "Change", "Scope", "Stand", "Statistics", "Tally", "Window", "count_turnout", "tabulate"]
