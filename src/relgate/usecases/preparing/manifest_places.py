"""Where the keys of a release's manifest stand, for errors that show after it was read."""

from __future__ import annotations

from relgate.domain.errors import Place
from relgate.domain.release import Release
from relgate.files.yamldoc import Loc, parse_yaml


def place_in(release: Release, *loc: str | int) -> Place:
    """Where a value of the release's manifest stands; the file alone where that cannot be read any more."""
    at: Loc = loc
    document, _ = parse_yaml(release.manifest_text, release.path)
    return document.place(at) if document else Place(str(release.path))
