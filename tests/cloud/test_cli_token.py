"""`watchroom token`: a partner's token, made and shown once, and the row that lets its holder in."""

import hashlib
import re
import stat
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloud.cli import cli
from cloud.directory.minting import mint
from cloud.directory.rows import Partner
from wire.strict import convert


def test_the_row_lets_the_holder_of_the_token_in() -> None:
    """The row on stdout is a partner's, with the digest of the token on stderr; stdout alone tells no token."""
    answer = CliRunner().invoke(cli, ["token", "kf"])
    assert 0 == answer.exit_code
    (found,) = re.findall(r"^Token, shown this once: (\S{43})$", answer.stderr, re.M)
    (row,) = tomllib.loads(answer.stdout)["partner"]
    partner = convert(row, Partner)
    assert isinstance(partner, Partner)
    assert ("kf", hashlib.sha256(found.encode()).hexdigest()) == (partner.organisation, partner.token_sha256)
    assert found not in answer.stdout


def test_a_token_in_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    """With `--out` the token is in a new file that nobody else may read, and nowhere else; a file is never replaced."""
    path = tmp_path / "kf.token"
    answer = CliRunner().invoke(cli, ["token", "kf", "--out", str(path)])
    assert (0, "") == (answer.exit_code, answer.stderr)
    text = path.read_text(encoding="utf-8")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert hashlib.sha256(text.strip().encode()).hexdigest() in answer.stdout
    again = CliRunner().invoke(cli, ["token", "kf", "--out", str(path)])
    assert 1 == again.exit_code
    assert ("", text) == (again.stdout, path.read_text(encoding="utf-8"))
    assert again.stderr.startswith("watchroom: --out")


@pytest.mark.parametrize("organisation", ["", "Kent Fire", "kf\n", 'kf"', "x" * 41])
def test_what_can_not_be_an_organisation_gets_none(organisation: str) -> None:
    """A name that the directory would refuse is refused here, in one line, and no token is shown."""
    answer = CliRunner().invoke(cli, ["token", organisation])
    assert (1, "") == (answer.exit_code, answer.stdout)
    assert "expected 1 to 40 of a-z, 0-9 and -" in answer.stderr
    assert "Token" not in answer.stderr


def test_each_token_is_another() -> None:
    """A thousand tokens are a thousand, each of 43 characters that need no quoting anywhere."""
    made = {mint() for _ in range(1_000)}
    assert 1_000 == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in made)
