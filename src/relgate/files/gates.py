"""From a suite's gates as written to gate specifications (design 4.2)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from relgate.domain.errors import Problem
from relgate.domain.gate import GateForm, GateSpec, Scalar
from relgate.files.suite_model import FORMS, Gate
from relgate.files.wire import did_you_mean, validate
from relgate.files.yamldoc import Loc, YamlDocument

LOWER_IS_BETTER = frozenset({"latency_ms", "first_token_ms", "cost_usd", "tokens"})


@dataclass(frozen=True, slots=True)
class GateRules:
    """What gates are checked against.

    Attributes:
        kind: the suite's kind as written.
        tags: every tag of its cases with its values; None when the cases could not be read.
    """

    kind: object
    tags: Mapping[str, Collection[Scalar]] | None


@dataclass(frozen=True, slots=True)
class GateDrafts:
    """The gates of a suite as far as they can be read.

    Attributes:
        specs: those that have a metric and one requirement; where there are problems, what is wrong in
            them is left out or stands for itself.
        formless: those of which only the metric can be checked, under any requirement.
        problems: what is wrong.
    """

    specs: tuple[GateSpec, ...]
    formless: tuple[GateSpec, ...]
    problems: tuple[Problem, ...]


def read_gates(document: YamlDocument, rules: GateRules) -> GateDrafts:
    """The gate specifications and what makes no sense about them by themselves and against the cases.

    The grammar's problems are those of the whole suite's model and not named again.

    Args:
        document: suite.yaml.
        rules: what they are checked against.
    """
    reader = _GateReader(document, rules)
    written = document.value.get("gates")
    if "gates" in document.value and written in (None, []):
        reader.problems.append(_no_gate(document))
    for index, entry in enumerate(written if isinstance(written, list) else []):
        gate, sound = _gate(document, index, entry)
        if gate is not None:
            reader.read(index, gate, sound=sound, perhaps_misspelt=_may_be_a_form(entry))
    return GateDrafts(tuple(reader.specs), tuple(reader.formless), tuple(reader.problems))


def _no_gate(document: YamlDocument) -> Problem:
    return Problem(
        document.key_place(("gates",)),
        "'gates' is empty, and no gate is no requirement",
        "",
        "remove the key to take the default policy of its kind, or write a gate",
    )


_STAND_INS: Mapping[str, Any] = {
    "metric": "?",
    "at_least": 0.5,
    "at_most": 0.5,
    "non_inferior": {"margin": 0.05},
    "superior": True,
    "ratio_at_most": 1.5,
    "violations": 0,
}
"""What takes the place of a wrong value, so that the rest of its gate can still be checked."""


def _gate(document: YamlDocument, index: int, entry: Any) -> tuple[Gate | None, bool]:
    """A gate and whether it is right as written."""
    loc: Loc = ("gates", index)
    gate, _, wrong = validate(Gate, document, entry, within=loc)
    if gate is not None or not isinstance(entry, dict):
        return gate, gate is not None
    kept = {"metric": _STAND_INS["metric"], **entry}
    for place in wrong:
        key = str(place[len(loc)]) if len(place) > len(loc) else ""
        kept.pop(key, None)
        if key in _STAND_INS:
            kept[key] = _STAND_INS[key]
    relative = entry.get("non_inferior")
    if isinstance(relative, dict):
        against = {"against": "primary"} if relative.get("against") == "primary" else {}
        kept["non_inferior"] = {**_STAND_INS["non_inferior"], **against}
    gate, _, _ = validate(Gate, document, kept, within=loc)
    return gate, False


def _may_be_a_form(entry: Any) -> bool:
    """Whether a gate's unknown key may be a requirement that is misspelt."""
    known = list(Gate.model_fields)
    unknown = [str(key) for key in entry if key not in known]
    nearest = [difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6) for key in unknown]
    return any(not near or near[0] in FORMS for near in nearest)


class _GateReader:
    def __init__(self, document: YamlDocument, rules: GateRules) -> None:
        self.document = document
        self.rules = rules
        self.specs: list[GateSpec] = []
        self.formless: list[GateSpec] = []
        self.problems: list[Problem] = []
        self.seen: dict[str, int] = {}

    def read(self, index: int, gate: Gate, *, sound: bool, perhaps_misspelt: bool) -> None:
        loc: Loc = ("gates", index)
        before = len(self.problems)
        named = gate.metric != _STAND_INS["metric"]
        given = [form for form in FORMS if getattr(gate, form) is not None]
        self._check_scope(loc, gate)
        if len(given) != 1:
            what = f"a gate has exactly one requirement, this has {' and '.join(given)}"
            if not given:
                what = f"a gate needs a requirement: one of {', '.join(FORMS)}"
            if given or not perhaps_misspelt:
                self._at((*loc, given[1]) if given else loc, what, key=bool(given))
            if named:
                self.formless.append(self._spec(loc, "superior", gate))
            return
        form = cast(GateForm, given[0])
        self._check_numbers(loc, form, gate)
        spec = self._spec(loc, form, gate)
        if sound and len(self.problems) == before:
            line = self.seen.setdefault(str(spec.document()), spec.line)
            if line != spec.line:
                self._at(loc, "the same gate again", f"the first is on line {line}")
                return
        if not named or _makes_no_sense(form, gate):
            return
        # A quantile of a floor is refused by itself: whether the floor fits the metric says nothing more.
        (self.formless if _is_quantile_floor(form, gate) else self.specs).append(spec)

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
        if gate.quantile is not None and form not in ("ratio_at_most", "at_most"):
            what = "quantile goes with ratio_at_most and at_most only"
            remedy = "use at_most" if _is_quantile_floor(form, gate) else "remove it"
            self._at((*loc, "quantile"), what, remedy, key=True)
        if gate.quantile is not None and gate.at_most == 0:
            self._at((*loc, "at_most"), "no quantile can be proven to lie below 0", "raise the limit")
        if gate.quantile is not None and form == "at_most" and self.rules.kind == "fallback":
            self._check_one_call_a_case(loc, gate)
        if gate.slack is not None and form != "ratio_at_most":
            self._at((*loc, "slack"), "slack goes with ratio_at_most only", "remove it", key=True)
        if gate.rate_at_most is not None and form != "violations":
            self._at(
                (*loc, "rate_at_most"), "rate_at_most goes with violations only", "use at_most", key=True
            )
        if _makes_no_sense(form, gate):
            what = f"{gate.metric} is better when it is lower, so at_least makes no sense"
            self._at((*loc, form), what, "use at_most or ratio_at_most", key=True)

    def _check_one_call_a_case(self, loc: Loc, gate: Gate) -> None:
        """Cases run once per hop: a limit on a quantile takes one hop's calls, which are independent."""
        if gate.by != "hop":
            what = "an absolute limit on a quantile judges the calls of one hop"
            self._at((*loc, "quantile"), what, "write by: hop", key=True)

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


def _is_quantile_floor(form: GateForm, gate: Gate) -> bool:
    return gate.quantile is not None and form == "at_least"


def _makes_no_sense(form: GateForm, gate: Gate) -> bool:
    return gate.metric in LOWER_IS_BETTER and form == "at_least"
