"""From a suite's gates as written to gate specifications (design 4.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from relgate.domain.errors import Problem
from relgate.domain.gate import GateForm, GateSpec, Scalar
from relgate.files.suite_model import FORMS, Gate
from relgate.files.wire import did_you_mean
from relgate.files.yamldoc import Loc, YamlDocument

LOWER_IS_BETTER = frozenset({"latency_ms", "cost_usd", "tokens"})


@dataclass(frozen=True, slots=True)
class GateRules:
    """What gates are checked against.

    Attributes:
        kind: the suite's kind as written.
        tags: every tag of its cases with its values; None when the cases could not be read.
    """

    kind: object
    tags: Mapping[str, Collection[Scalar]] | None


def read_gates(
    document: YamlDocument, gates: list[tuple[int, Gate]], rules: GateRules
) -> tuple[tuple[GateSpec, ...], list[Problem]]:
    """The gate specifications and what makes no sense about them.

    Args:
        document: suite.yaml.
        gates: each gate whose shape is right, with its index in the list.
        rules: what they are checked against.
    """
    reader = _GateReader(document, rules)
    specs = [reader.read(index, gate) for index, gate in gates]
    return tuple(spec for spec in specs if spec), reader.problems


class _GateReader:
    def __init__(self, document: YamlDocument, rules: GateRules) -> None:
        self.document = document
        self.rules = rules
        self.problems: list[Problem] = []
        self.seen: dict[str, int] = {}

    def read(self, index: int, gate: Gate) -> GateSpec | None:
        loc: Loc = ("gates", index)
        before = len(self.problems)
        given = [form for form in FORMS if getattr(gate, form) is not None]
        if len(given) != 1:
            what = f"a gate has exactly one requirement, this has {' and '.join(given)}"
            if not given:
                what = f"a gate needs a requirement: one of {', '.join(FORMS)}"
            self._at((*loc, given[1]) if given else loc, what, key=bool(given))
            return None
        form = cast(GateForm, given[0])
        self._check_numbers(loc, form, gate)
        self._check_scope(loc, gate)
        if len(self.problems) > before:
            return None
        spec = self._spec(loc, form, gate)
        line = self.seen.setdefault(str(spec.document()), spec.line)
        if line != spec.line:
            self._at(loc, "the same gate again", f"the first is on line {line}")
            return None
        return spec

    def _spec(self, loc: Loc, form: GateForm, gate: Gate) -> GateSpec:
        place = self.document.place(loc)
        relative = gate.non_inferior
        boundary = 0.0
        if relative is not None:
            boundary = relative.margin
        elif form != "superior":
            boundary = float(getattr(gate, form))
        return GateSpec(
            metric=gate.metric,
            form=form,
            boundary=boundary,
            role=gate.role or ("guard" if gate.by else "require"),
            quantile=gate.quantile,
            slack=gate.slack or 0.0,
            rate_at_most=gate.rate_at_most,
            by=gate.by,
            only=gate.only or {},
            pooled=gate.pooled,
            against=relative.against if relative else "baseline",
            line=place.line,
            column=place.column,
        )

    def _check_numbers(self, loc: Loc, form: GateForm, gate: Gate) -> None:
        if gate.quantile is not None and form in ("at_least", "at_most"):
            what = f"{form} with a quantile is not built yet in this version"
            self._at((*loc, "quantile"), what, "use ratio_at_most", key=True)
        elif gate.quantile is not None and form != "ratio_at_most":
            self._at((*loc, "quantile"), "quantile goes with ratio_at_most only", "remove it", key=True)
        if gate.slack is not None and form != "ratio_at_most":
            self._at((*loc, "slack"), "slack goes with ratio_at_most only", "remove it", key=True)
        if gate.rate_at_most is not None and form != "violations":
            self._at(
                (*loc, "rate_at_most"), "rate_at_most goes with violations only", "use at_most", key=True
            )
        if gate.metric in LOWER_IS_BETTER and form == "at_least":
            what = f"{gate.metric} is better when it is lower, so at_least makes no sense"
            self._at((*loc, form), what, "use at_most or ratio_at_most", key=True)

    def _check_scope(self, loc: Loc, gate: Gate) -> None:
        fallback = self.rules.kind not in ("golden", "safety")
        if gate.non_inferior and gate.non_inferior.against == "primary" and not fallback:
            self._at((*loc, "non_inferior", "against"), "only fallback suites have a primary", "remove it")
        if gate.pooled and not fallback:
            self._at((*loc, "pooled"), "only fallback suites have hops", "remove it", key=True)
        if gate.pooled and gate.by == "hop":
            self._at((*loc, "by"), "a gate is pooled over hops or one per hop, not both", key=True)
        if gate.by == "hop":
            if not fallback:
                self._at((*loc, "by"), "only fallback suites have hops", "name a tag")
        elif gate.by is not None:
            self._check_tag((*loc, "by"), gate.by, key=False)
        for tag, value in (gate.only or {}).items():
            self._check_tag((*loc, "only", tag), tag, key=True)
            values = (self.rules.tags or {}).get(tag)
            if values is not None and not any(value == v and type(value) is type(v) for v in values):
                remedy = did_you_mean(str(value), [str(v) for v in values])
                self._at((*loc, "only", tag), f"no case has {tag} {value!r}", remedy)

    def _check_tag(self, loc: Loc, tag: str, *, key: bool) -> None:
        if self.rules.tags is not None and tag not in self.rules.tags:
            remedy = did_you_mean(tag, self.rules.tags, none="the cases have no tags")
            self._at(loc, f"no case has the tag {tag!r}", remedy, key=key)

    def _at(self, loc: Loc, what: str, remedy: str = "", *, key: bool = False) -> None:
        place = self.document.key_place(loc) if key else self.document.place(loc)
        self.problems.append(Problem(place, what, remedy=remedy))


def tags_of(cases: Any) -> dict[str, set[Scalar]]:
    """Every tag of the cases with its values."""
    tags: dict[str, set[Scalar]] = {}
    for case in cases:
        for name, value in case.tags.items():
            tags.setdefault(name, set()).add(value)
    return tags
