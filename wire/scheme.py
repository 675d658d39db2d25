"""Status schemes: each service's own status codes, and the availability class that each one stands for.

A scheme is a TOML text; shells read the files, this room understands them. A site may replace rows of a scheme, or
choose one of its variants (regional readings of the same code), in a text with `replaces`; or bring a whole scheme.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from wire.feed import Activity, AvailabilityClass
from wire.strict import Problem, closest, convert, in_file, read_toml
from wire.topics import TOKEN_PATTERN

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z", description="1 to 40 of a-z, 0-9 and -")]
CodeText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z", description="1 to 40 of A-Z, a-z, 0-9, _ and -")]
Label = Annotated[str, Meta(pattern=r"^\S[^\x00-\x1f]{0,59}\Z", description="1 to 60 printable characters")]
SchemeConfidence = Literal["published", "open_implementation", "synthesised"]
Place = Literal["base", "standby", "home", "hospital"]
TierMinutes = Annotated[int, Meta(ge=0, le=120, description="minutes, 0 to 120")]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One status code. Either it has a class, or it is an event: a moment that never replaces what stands."""

    code: CodeText
    label: Label
    """In the service's own words."""
    availability: AvailabilityClass | None = None
    """The primary class; None exactly for an event."""
    event: bool = False
    mobile: bool = False
    """Whether it says that the unit is on its way to where it was sent."""
    activity: Activity | None = None
    """What the crew is at, beside whether it can be sent; None for an event, and where the code does not tell."""
    place: Place | None = None
    """Where the code says that the unit is. What its receiver says is held against it."""
    tier_min: TierMinutes | None = None
    """How long a crew that is called under this code takes to turn out; None where its unit's own figure holds."""
    speech: Literal["routine", "urgent"] | None = None
    """For an event: the crew asks control to speak with it."""
    emergency: bool = False
    """For an event: it calls for help, as the guarded button does."""
    note: str = ""

    @property
    def private(self) -> bool:
        """Whether nobody's position may be kept or shown under it: off duty, or at home."""
        return self.activity == "off_duty" or self.place == "home"


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What some codes mean elsewhere, as whole rows. A site chooses it; nobody gets it unasked."""

    name: Token
    title: Label
    codes: Annotated[tuple[Code, ...], Meta(min_length=1)] = msgspec.field(name="code")


class Scheme(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A vocabulary of status codes, in the order in which its service lists them."""

    name: Token
    title: Label
    confidence: SchemeConfidence
    """How sure the codes and labels are."""
    source: str
    """Where the codes and labels come from."""
    classes: Literal["project_proposal", "site"]
    """Who gave each code its class: no service's list does."""
    note: str = ""
    codes: Annotated[tuple[Code, ...], Meta(min_length=1)] = msgspec.field(name="code")
    variants: tuple[Variant, ...] = msgspec.field(name="variant", default=())

    def code(self, code: str) -> Code | None:
        """Look a code up, exactly as written. None where the scheme has no such code."""
        return self._by_code.get(code)

    def variant(self, name: str) -> Variant | None:
        """Look a variant up by its name."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def with_rows(self, rows: Iterable[Code]) -> "Scheme":
        """Make the scheme with each of `rows` in place of the row of the same code; the rest stays as it is."""
        new = {row.code: row for row in rows}
        return msgspec.structs.replace(self, codes=tuple(new.get(row.code, row) for row in self.codes))

    @cached_property
    def _by_code(self) -> dict[str, Code]:
        return {row.code: row for row in self.codes}


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A site's reading of a scheme: first the variant it names, then its own rows."""

    replaces: Token
    variant: Token | None = None
    codes: tuple[Code, ...] = msgspec.field(name="code", default=())


class SchemeInvalid(ValueError):
    """A scheme's text can't be used. The message has one line for each of `problems`."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep `problems`, at least one."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


T = TypeVar("T", Scheme, Override)
_STANDING_KEYS = ("mobile", "activity", "place", "tier_min")
_EVENT_KEYS = ("speech", "emergency")


def parse_scheme(text: str) -> Scheme:
    """Read a whole scheme from TOML. Raises SchemeInvalid, with every problem at once."""
    return _parse(text, Scheme)


def parse_override(text: str) -> Override:
    """Read a site's override from TOML. Raises SchemeInvalid, with every problem at once."""
    return _parse(text, Override)


def apply_override(scheme: Scheme, override: Override) -> Scheme:
    """Make the scheme as the site reads it. Raises SchemeInvalid where it names a code or variant that isn't there."""
    problems = tuple(_override_problems(scheme, override))
    if problems:
        raise SchemeInvalid(problems)
    variant = scheme.variant(override.variant) if override.variant else None
    return scheme.with_rows(variant.codes if variant else ()).with_rows(override.codes)


def assemble(packaged: Mapping[str, str], site: Mapping[str, str]) -> tuple[dict[str, Scheme], tuple[Problem, ...]]:
    """Build every scheme, by name, from texts by file name, the site's over the packaged ones.

    What can't be used is left out and told in the problems, whose path begins with the file's name.
    """
    schemes: dict[str, Scheme] = {}
    problems: list[Problem] = []
    replaced: set[str] = set()
    wholes = {file: text for file, text in site.items() if not _is_override(text)}
    overrides = {file: text for file, text in site.items() if file not in wholes}
    for file, text in (*packaged.items(), *wholes.items()):
        try:
            _add(schemes, parse_scheme(text))
        except SchemeInvalid as invalid:
            problems += (in_file(file, problem) for problem in invalid.problems)
    for file, text in overrides.items():
        try:
            _replace(schemes, replaced, parse_override(text))
        except SchemeInvalid as invalid:
            problems += (in_file(file, problem) for problem in invalid.problems)
    return schemes, tuple(problems)


def _parse(text: str, kind: type[T]) -> T:
    found = convert(_toml(text), kind)
    if isinstance(found, tuple):
        raise SchemeInvalid(found)
    problems = tuple(_row_problems(found))
    if problems:
        raise SchemeInvalid(problems)
    return found


def _toml(text: str) -> dict[str, Any]:
    try:
        return read_toml(text)
    except ValueError as error:
        raise SchemeInvalid((Problem("", f"is not TOML: {error}", "a TOML file"),)) from None


def _is_override(text: str) -> bool:
    try:
        return "replaces" in read_toml(text)
    except ValueError:
        return False


def _row_problems(found: Scheme | Override) -> Iterator[Problem]:
    yield from _rows(found.codes, "code")
    if isinstance(found, Override):
        return
    known = tuple(row.code for row in found.codes)
    names = [variant.name for variant in found.variants]
    for index, variant in enumerate(found.variants):
        path = f"variant[{index}]"
        if names.index(variant.name) != index:
            yield Problem(f"{path}.name", f"{variant.name!r} is there twice", "each variant once")
        yield from _rows(variant.codes, f"{path}.code")
        yield from _unknown(variant.codes, known, f"{path}.code")


def _rows(rows: tuple[Code, ...], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        where = f"{path}[{index}]"
        if row.code in seen:
            yield Problem(f"{where}.code", f"{row.code!r} is there twice", "each code once")
        seen.add(row.code)
        if row.event and row.availability is not None:
            yield Problem(f"{where}.availability", "is given for an event", "no availability: an event has none")
        if not row.event and row.availability is None:
            yield Problem(f"{where}.availability", "is missing", "an availability class, or event = true")
        for key in _STANDING_KEYS if row.event else _EVENT_KEYS:
            if getattr(row, key):
                expected = "only for a status that stands" if row.event else "only with event = true"
                yield Problem(f"{where}.{key}", f"is given for {'an event' if row.event else 'a status'}", expected)


def _unknown(rows: tuple[Code, ...], known: tuple[str, ...], path: str) -> Iterator[Problem]:
    for index, row in enumerate(rows):
        if row.code not in known:
            problem = f"{row.code!r} is no code of the scheme{closest(row.code, known)}"
            yield Problem(f"{path}[{index}].code", problem, f"one of {', '.join(known)}")


def _override_problems(scheme: Scheme, override: Override) -> Iterator[Problem]:
    yield from _unknown(override.codes, tuple(row.code for row in scheme.codes), "code")
    names = tuple(variant.name for variant in scheme.variants)
    if override.variant is not None and override.variant not in names:
        problem = f"{override.variant!r} is no variant of {scheme.name}{closest(override.variant, names)}"
        yield Problem("variant", problem, f"one of {', '.join(names)}" if names else "no variant")


def _add(schemes: dict[str, Scheme], scheme: Scheme) -> None:
    if scheme.name in schemes:
        expected = f"another name, or replaces = '{scheme.name}' to change rows of it"
        raise SchemeInvalid((Problem("name", f"{scheme.name!r} is there already", expected),))
    schemes[scheme.name] = scheme


def _replace(schemes: dict[str, Scheme], replaced: set[str], override: Override) -> None:
    name, known = override.replaces, tuple(schemes)
    if name not in schemes:
        problem = f"{name!r} is no known scheme{closest(name, known)}"
        raise SchemeInvalid((Problem("replaces", problem, f"one of {', '.join(known)}"),))
    if name in replaced:
        raise SchemeInvalid((Problem("replaces", f"{name!r} is replaced in another file too", "one file a scheme"),))
    schemes[name] = apply_override(schemes[name], override)
    replaced.add(name)
