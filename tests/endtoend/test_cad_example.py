"""The worked example of `docs/cad.md`, run as it stands there, on ports of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cloud.process import ROOT
from tests.ports import free_port
from tests.programs import require_program

PAGE = ROOT / "docs" / "cad.md"
BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = ("8470", "8471", "1883")
DEADLINE_S = 120
MARK = "--- the next block"


def test_the_example_does_what_the_page_says(tmp_path: Path) -> None:
    """Each command succeeds, and each answer that the page shows is given, field by field."""
    for program in ("mosquitto_pub", "mosquitto_sub", "curl"):
        require_program(program)
    blocks = [match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
    given = run("".join(f"{text}echo '{MARK}'\n" for kind, text in blocks if kind == "sh"), tmp_path)
    place = -1
    for kind, text in blocks:
        place += kind == "sh"
        for line in text.splitlines() if kind != "sh" else ():
            said = given[place]
            if kind == "text":
                assert line in said, f"not said: {line}\n{said}"
            else:
                answers = [json.loads(one) for one in said.splitlines() if one.startswith("{")]
                assert any(holds(json.loads(line), one) for one in answers), f"not answered: {line}\n{said}"


def run(script: str, folder: Path) -> list[str]:
    """Run the page's commands in one shell, and give what each block printed."""
    for port in PORTS:
        script = script.replace(port, str(free_port()))
    (folder / "docs").symlink_to(ROOT / "docs")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [shutil.which("bash") or "bash", "-e", "-m", "-c", f"trap 'kill $(jobs -p) || true' EXIT\n{script}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout.split(MARK)


def holds(shown: Any, given: Any) -> bool:
    """Tell whether an answer has everything that the page shows of it."""
    if isinstance(shown, dict):
        return isinstance(given, dict) and all(key in given and holds(shown[key], given[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(given, list) and all(any(holds(one, other) for other in given) for one in shown)
    return bool(shown == given)
