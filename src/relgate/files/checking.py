"""What the checks of a manifest share: the document, the sound part of its value, the problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relgate.domain.errors import Problem
from relgate.files.yamldoc import Loc, YamlDocument


@dataclass(slots=True)
class Check:
    """One manifest under check.

    Attributes:
        document: everything, with places.
        value: the manifest without the parts whose shape is wrong; what is there has the right type.
        folder: what its paths are relative to.
        problems: found so far.
    """

    document: YamlDocument
    value: dict[str, Any]
    folder: Path
    problems: list[Problem] = field(default_factory=list)

    def at(self, loc: Loc, what: str, remedy: str = "", value: str = "") -> None:
        """Note a problem at a value."""
        self.problems.append(Problem(self.document.place(loc), what, value, remedy))

    def at_key(self, loc: Loc, what: str, remedy: str = "", value: str = "") -> None:
        """Note a problem at a key."""
        self.problems.append(Problem(self.document.key_place(loc), what, value, remedy))

    def get(self, *loc: str) -> Any:
        """The sound value at a location, None when there is none."""
        value: Any = self.value
        for part in loc:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    def mapping(self, *loc: str) -> dict[str, Any]:
        """The sound mapping at a location, empty when there is none."""
        value = self.get(*loc)
        return value if isinstance(value, dict) else {}

    def names(self, *loc: str) -> list[str]:
        """The keys written at a location, whether or not what stands under them is sound."""
        value: Any = self.document.value
        for part in loc:
            value = value.get(part) if isinstance(value, dict) else None
        return list(value) if isinstance(value, dict) else []

    def entries(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, name and entry of every artifact, in the manifest's order."""
        return [
            (kind, name, entry)
            for kind, named in self.mapping("artifacts").items()
            if isinstance(named, dict)
            for name, entry in named.items()
            if isinstance(entry, dict)
        ]
