"""The page's own files: plain ES modules, served as they are written, with nothing from elsewhere."""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

FILES: Final[Traversable] = files("edge_agent.panel")
PAGE: Final = "panel.html"
POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
"""The Content-Security-Policy. Trusted types make the browser itself refuse markup made from data."""

HEADERS: Final = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
_CONTENT_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def read_parts(folder: Traversable = FILES, prefix: str = "") -> dict[str, tuple[bytes, str]]:
    """Every file of the page by its path below `/panel/`, with its bytes and its content type."""
    parts: dict[str, tuple[bytes, str]] = {}
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        content_type = _CONTENT_TYPES.get(entry.name.rpartition(".")[2])
        if entry.is_dir():
            parts |= read_parts(entry, f"{prefix}{entry.name}/")
        elif content_type is not None:
            parts[prefix + entry.name] = (entry.read_bytes(), content_type)
    return parts


def build_of(parts: dict[str, tuple[bytes, str]]) -> str:
    """A short name of exactly these files: a page that is open learns by it that it has been replaced."""
    digest = sha256()
    for path, (content, _) in parts.items():
        digest.update(f"{path} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]
