"""Status schemes: the packaged ones say what the services say, and a site's reading goes over them."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from wire.scheme import Code, Scheme, SchemeInvalid, apply_override, assemble, parse_override, parse_scheme

CLASSES = {"A": "Available", "C": "ConditionallyAvailable", "N": "NotAvailable", "E": None}

SMALL = """
name = "small"
title = "Small"
confidence = "synthesised"
source = "a test"
classes = "site"
[[code]]
code = "1"
label = "Free"
availability = "Available"
[[code]]
code = "2"
label = "Call me"
event = true
[[variant]]
name = "north"
title = "North"
[[variant.code]]
code = "1"
label = "Perhaps free"
availability = "ConditionallyAvailable"
"""


def packaged() -> dict[str, Scheme]:
    """Load every packaged scheme, by name."""
    folder = files("wire") / "schemes"
    texts = {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".toml")}
    schemes, problems = assemble(texts, {})
    assert () == problems
    assert {f"{name}.toml" for name in schemes} == set(texts)
    return schemes


def problems_of(text: str) -> list[str]:
    """Tell the problems of a scheme's text, as a person reads them."""
    with pytest.raises(SchemeInvalid) as caught:
        parse_scheme(text)
    return str(caught.value).splitlines()


def test_the_packaged_schemes_have_their_full_number_of_codes_and_events() -> None:
    """Every scheme is complete: codes and events are as many as its service has."""
    expected = {
        "uk-fire-gd92": (39, 8),
        "uk-police-state": (17, 6),
        "uk-ambulance": (14, 1),
        "de-bos-fms": (10, 3),
        "nz-fire-k": (12, 0),
        "eido-secondary": (41, 7),
    }
    found = {name: (len(scheme.codes), sum(row.event for row in scheme.codes)) for name, scheme in packaged().items()}
    assert expected == found


@pytest.mark.parametrize(
    ("scheme", "code", "label", "availability"),
    [
        ("uk-fire-gd92", "0", "No status data", None),
        ("uk-fire-gd92", "6", "Available, contact by radio", "Available"),
        ("uk-fire-gd92", "31", "Mobile, BA deficiency", "ConditionallyAvailable"),
        ("uk-police-state", "1", "On duty", "NotAvailable"),
        ("uk-police-state", "14", "Urgent call", None),
        ("uk-ambulance", "patient_contact", "Patient contact", None),
        ("uk-ambulance", "meal", "Meal break", "ConditionallyAvailable"),
        ("uk-ambulance", "clear", "Clear", "Available"),
        ("de-bos-fms", "5", "Speech request", None),
        ("nz-fire-k", "KE", "Unable to proceed", "NotAvailable"),
        ("eido-secondary", "OnDuty", "On duty", "NotAvailable"),
    ],
)
def test_known_rows_stand_as_the_service_has_them(scheme: str, code: str, label: str, availability: str | None) -> None:
    """A sample of rows, chosen where a slip would mislead a dispatcher, reads as its source does."""
    row = packaged()[scheme].code(code)
    assert row is not None
    assert (label, availability, availability is None) == (row.label, row.availability, row.event)


def test_each_scheme_says_how_sure_it_is_and_whose_classes_it_gives() -> None:
    """No packaged scheme passes the project's proposal for a published class, nor a made-up list for an official."""
    schemes = packaged()
    assert {"project_proposal"} == {scheme.classes for scheme in schemes.values()}
    assert {
        "uk-fire-gd92": "open_implementation",
        "uk-police-state": "published",
        "uk-ambulance": "synthesised",
        "de-bos-fms": "published",
        "nz-fire-k": "published",
        "eido-secondary": "published",
    } == {name: scheme.confidence for name, scheme in schemes.items()}


def test_the_packaged_schemes_equal_the_written_facts(real_data: Path) -> None:
    """Codes, labels and classes are, row for row, those of the design's list of status codes."""
    facts = real_data.parent / "design" / "status-codes.md"
    if not facts.exists():
        pytest.skip("the list of status codes isn't beside the recorded data")
    schemes = packaged()
    sections = dict(re.findall(r"^## (\S+) \([^\n]*\n(.*?)(?=\n\n|\Z)", facts.read_text("utf-8"), re.S | re.M))
    eido = [word.strip() for word in sections.pop("eido-secondary").split(",")]
    assert eido == [row.code for row in schemes["eido-secondary"].codes]
    for name in ("uk-fire-gd92", "uk-police-state", "uk-ambulance", "de-bos-fms", "nz-fire-k"):
        written = " ".join(sections[name].split()).split(" · ")
        matches = [re.fullmatch(r"(.+) ([ACNE])(?: \(.*\))?", row) for row in written]
        assert all(matches), written
        expected = [(match[1], CLASSES[match[2]]) for match in matches if match]
        coded = name != "uk-ambulance"
        rows = schemes[name].codes
        found = [(f"{row.code} {row.label}" if coded else row.label, row.availability) for row in rows]
        assert expected == found


def test_a_variant_changes_only_the_site_that_chooses_it() -> None:
    """Bavaria's 8 is conditionally available there, and not available everywhere else."""
    plain = packaged()["de-bos-fms"]
    bavarian = apply_override(plain, parse_override('replaces = "de-bos-fms"\nvariant = "bavaria"'))
    eights = [scheme.code("8") for scheme in (plain, bavarian)]
    assert ["NotAvailable", "ConditionallyAvailable"] == [row.availability for row in eights if row]
    assert [row.code for row in plain.codes] == [row.code for row in bavarian.codes]
    assert [row for row in plain.codes if row.code not in "89"] == [
        row for row in bavarian.codes if row.code not in "89"
    ]


def test_nottinghamshire_reads_3_as_at_station() -> None:
    """The police variant is data too."""
    variant = packaged()["uk-police-state"].variant("nottinghamshire")
    assert variant is not None
    row = Code(code="3", label="At station, available", availability="Available", activity="free", place="base")
    assert (row,) == variant.codes


def test_an_unknown_code_is_none() -> None:
    """A code is looked up exactly as written: nothing close is taken for it."""
    scheme = parse_scheme(SMALL)
    assert scheme.code("1") is not None
    assert [None, None, None] == [scheme.code("01"), scheme.code("1 "), scheme.code("")]


def test_replaced_rows_are_found_after_a_look_up_of_the_old_ones() -> None:
    """A scheme that has been asked before still hands out its successor's rows, not its own."""
    scheme = parse_scheme(SMALL)
    assert scheme.code("1") == scheme.codes[0]
    new = Code(code="1", label="Busy", availability="NotAvailable")
    assert new == scheme.with_rows([new]).code("1")
    assert "Free" == scheme.codes[0].label


def test_a_broken_scheme_tells_everything_at_once() -> None:
    """A class missing, a class on an event, a code twice and a variant of no code are four lines."""
    text = SMALL.replace('availability = "Available"', "").replace(
        "event = true", 'event = true\navailability = "Available"'
    )
    text += '[[variant.code]]\ncode = "9"\nlabel = "x"\nevent = true\n'
    text += '[[code]]\ncode = "1"\nlabel = "Again"\nevent = true\n'
    expected = ["code[0].availability", "code[1].availability", "code[2].code", "variant[0].code[1].code"]
    assert expected == [line.split(":")[0] for line in problems_of(text)]


def test_a_variant_is_held_to_the_same_rules() -> None:
    """A variant named twice, and a row in it without a class, are refused like any row of the scheme."""
    text = SMALL + SMALL[SMALL.index("[[variant]]") :].replace('availability = "ConditionallyAvailable"', "")
    expected = ["variant[1].name", "variant[1].code[0].availability"]
    assert expected == [line.split(":")[0] for line in problems_of(text)]


def test_a_mistyped_class_is_refused_with_the_right_spelling() -> None:
    """A class outside the three never loads."""
    lines = problems_of(SMALL.replace('"Available"', '"Avalable"'))
    assert ["code[0].availability: is 'Avalable' (did you mean 'Available'?)"] == [line.split(";")[0] for line in lines]


def test_text_that_is_not_toml_is_refused() -> None:
    """The parser's own word and place are passed on."""
    assert "line 1" in problems_of("name = \n")[0]


def test_a_site_replaces_rows_by_file() -> None:
    """A site's file goes over the packaged scheme of the name, and a whole scheme of its own stands beside it."""
    site = {
        "mine.toml": 'replaces = "small"\n[[code]]\ncode = "1"\nlabel = "At base"\navailability = "Available"',
        "other.toml": SMALL.replace('"small"', '"own"'),
    }
    schemes, problems = assemble({"small.toml": SMALL}, site)
    assert () == problems
    assert {"small", "own"} == set(schemes)
    labels = [row.label for row in (schemes["small"].code("1"), schemes["own"].code("1")) if row]
    assert ["At base", "Free"] == labels


def test_a_site_override_may_follow_a_scheme_of_the_site() -> None:
    """Whole schemes come first, whatever their files' names, so that an override finds them."""
    site = {
        "a.toml": 'replaces = "small"\n[[code]]\ncode = "1"\nlabel = "New"\navailability = "Available"',
        "b.toml": SMALL,
    }
    schemes, problems = assemble({}, site)
    assert () == problems
    assert "New" == schemes["small"].codes[0].label


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ('replaces = "smal"', "x.toml: replaces: 'smal' is no known scheme (did you mean 'small'?)"),
        ('replaces = "small"\nvariant = "south"', "x.toml: variant: 'south' is no variant of small"),
        (
            'replaces = "small"\n[[code]]\ncode = "7"\nlabel = "x"\nevent = true',
            "x.toml: code[0].code: '7' is no code of the scheme",
        ),
        (SMALL, "x.toml: name: 'small' is there already"),
        ("replaces = ", "x.toml: is not TOML"),
    ],
)
def test_an_override_that_fits_nothing_is_told_and_changes_nothing(text: str, start: str) -> None:
    """What a site mistyped is named with its file, and the packaged scheme is as it was."""
    schemes, problems = assemble({"small.toml": SMALL}, {"x.toml": text})
    assert {"small": parse_scheme(SMALL)} == schemes
    assert [True] == [str(problem).startswith(start) for problem in problems]


def test_two_overrides_of_one_scheme_are_refused() -> None:
    """The order of files never decides what a code means."""
    text = 'replaces = "small"\nvariant = "north"'
    _, problems = assemble({"small.toml": SMALL}, {"a.toml": text, "b.toml": text})
    assert ["b.toml: replaces"] == [problem.path for problem in problems]
