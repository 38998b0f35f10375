"""The scorer judge: a pinned model answers a rubric; what cannot be read is a failure, never a number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from relgate.domain.case import Case
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.metric import Metric, MetricKind
from relgate.domain.placeholders import PLACEHOLDER
from relgate.domain.release import Release, Target
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Ask, Judgement, ModelJudge, Preference, Scorer, ScorerContext
from relgate.files.paths import unusable
from relgate.scorers.options import OptionProblem, Options, read_options

_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
_ONE = ("question", "expected", "answer")
_TWO = ("question", "expected", "answer_1", "answer_2")
_WINNERS = {"first": 1, "second": 2, "tie": 0}


def _is_span(scale: list[int]) -> list[int]:
    if len(scale) != 2 or scale[0] >= scale[1]:
        raise ValueError("a scale is two whole numbers, the lower one first")
    return scale


class JudgeOptions(Options):
    """Options of judge."""

    rubric: str = Field(min_length=1)
    model: str
    scale: Annotated[list[int], AfterValidator(_is_span)] | Literal["pass_fail"] = "pass_fail"
    pairwise: bool = False

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """A pair has a winner, not a score."""
        if given.get("pairwise") is True and "scale" in given:
            yield OptionProblem(
                "option 'scale': a pair has a winner, no score; leave scale or pairwise out", ("scale",)
            )


def make_judge(options: Mapping[str, Any], context: ScorerContext) -> Scorer:
    """A scorer that asks a model of the release: pass or fail (binary), a scale, or pairs (unit).

    Raises:
        OptionError: options are wrong.
        ValueError: the release has no such model, or the rubric cannot be read.
    """
    settings = read_options(JudgeOptions, options)
    target = Target.parse(settings.model)
    model = _model(context.release, target)
    known = _TWO if settings.pairwise else _ONE
    rubric = _rubric(settings.rubric, context)
    if context.release.digest and not rubric.strip():
        raise ValueError(f"the rubric {settings.rubric[:60]!r} is empty: say what a good answer is")
    unknown = [name for name in PLACEHOLDER.findall(rubric) if name not in known]
    if unknown:
        raise ValueError(f"the rubric uses {{{{ {unknown[0]} }}}}, it may use {', '.join(known)}")
    scale = "pairs" if settings.pairwise else settings.scale
    digest = digest_json({"model": model, "rubric": digest_bytes(rubric.encode()), "scale": scale})
    reader = _Reader(rubric, settings)
    kind: MetricKind = "binary" if scale == "pass_fail" else "unit"
    one, two = (None, reader.prefer) if settings.pairwise else (reader.judge, None)
    asked = ModelJudge(str(target), digest, judge=one, prefer=two)
    return Scorer("judge", Metric("judge", kind), _cannot, asked=asked)


def _cannot(case: Case, response: Response) -> Judgement:
    return ScorerFailure("judge", f"case {case.id}: the judge was not asked")


class _Reader:
    """Writes what the judge is asked and reads what it says."""

    def __init__(self, rubric: str, settings: JudgeOptions) -> None:
        self._rubric = rubric
        self._scale = settings.scale

    async def judge(self, case: Case, response: Response, ask: Ask) -> Judgement:
        """One answer against the rubric."""
        low, high = (0, 1) if isinstance(self._scale, str) else self._scale
        wanted = (
            '"pass" or "fail"' if isinstance(self._scale, str) else f"a whole number from {low} to {high}"
        )
        values = {"question": case.text, "expected": _expected(case), "answer": response.output}
        said = await self._said(values, wanted, ask)
        if isinstance(said, ScorerFailure):
            return said
        if isinstance(self._scale, str):
            return said == "pass" if said in ("pass", "fail") else _other_score(said, wanted)
        if isinstance(said, bool) or not isinstance(said, int) or not low <= said <= high:
            return _other_score(said, wanted)
        return (said - low) / (high - low)

    async def prefer(self, case: Case, first: Response, second: Response, ask: Ask) -> Preference:
        """The better one of two answers, in the order in which they are shown: 1, 2, or 0 for a tie."""
        values = {
            "question": case.text,
            "expected": _expected(case),
            "answer_1": first.output,
            "answer_2": second.output,
        }
        wanted = '"first", "second" or "tie"'
        said = await self._said(values, wanted, ask)
        if isinstance(said, ScorerFailure):
            return said
        return _WINNERS[said] if isinstance(said, str) and said in _WINNERS else _other_score(said, wanted)

    async def _said(self, values: Mapping[str, str], wanted: str, ask: Ask) -> Any:
        outcome = await ask(self._text(values, wanted))
        if not isinstance(outcome, Response):
            return ScorerFailure("judge", f"the judge did not answer: {outcome.message}")
        return read_verdict(outcome.output)

    def _text(self, values: Mapping[str, str], wanted: str) -> str:
        named = set(PLACEHOLDER.findall(self._rubric))
        filled = PLACEHOLDER.sub(lambda match: values[match.group(1)], self._rubric)
        # A tag inside an answer must not close the block that it stands in.
        blocks = [
            f"<{name}>\n{re.sub(rf'</(?={name}>)', '< /', text)}\n</{name}>"
            for name, text in values.items()
            if name not in named and text
        ]
        rule = (
            f'Answer with one JSON object and nothing else: {{"score": {wanted}, "reason": "one sentence"}}'
        )
        return "\n\n".join([filled.strip(), *blocks, rule])


def read_verdict(text: str) -> Any:
    """The score of ``{"score": ..., "reason": ...}``: the whole answer, or all of one fenced block.

    Returns:
        The score as JSON has it, or the failure to read it.
    """
    plain = text.strip()
    fenced = _FENCED.match(plain)
    try:
        verdict = json.loads(fenced.group(1) if fenced else plain, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return _unreadable("no JSON object")
    if not isinstance(verdict, dict) or set(verdict) != {"score", "reason"}:
        return _unreadable("no object of score and reason")
    if not isinstance(verdict["reason"], str):
        return _unreadable("a reason that is no text")
    return verdict["score"]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _other_score(said: Any, wanted: str) -> ScorerFailure:
    return _unreadable(f"score {str(said)[:20]!r}, wanted {wanted}")


def _unreadable(what: str) -> ScorerFailure:
    return ScorerFailure("judge", f"the judge's answer cannot be read: {what[:120]}")


def _expected(case: Case) -> str:
    if case.expected is None or isinstance(case.expected, str):
        return case.expected or ""
    return json.dumps(case.expected, ensure_ascii=False, default=list)


def _model(release: Release, target: Target) -> str:
    """The digest of the judge's model artifact.

    A release without a digest is the draft of one whose manifest is wrong: nothing is missing in it that its
    own problems do not name.
    """
    if not release.digest:
        return ""
    found = next((a for a in release.of_kind("model") if a.name == target.model), None)
    if found is None:
        have = ", ".join(a.name for a in release.of_kind("model")) or "none"
        raise ValueError(f"{release.label} has no model {target.model!r}, it has {have}")
    if target.provider not in release.providers:
        have = ", ".join(release.providers) or "none"
        raise ValueError(f"{release.label} has no provider {target.provider!r}, it has {have}")
    return found.digest


def _rubric(given: str, context: ScorerContext) -> str:
    """A file beside the suite, else a prompt artifact of the release."""
    prompt = next((a for a in context.release.of_kind("prompt") if a.name == given), None)
    path = Path(context.suite_path.parent, given)
    if not path.exists() and prompt is not None:
        return prompt.text
    if not path.exists() and not context.release.digest:
        return ""
    if reason := unusable(path):
        raise ValueError(
            f"cannot read the rubric {given[:60]!r}: {reason}, and no prompt of the release has that name; "
            "write it in a file beside the suite, or name a prompt artifact"
        )
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"cannot read the rubric {given[:60]!r}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"the rubric {given[:60]!r} is no text in UTF-8: save it as that") from None
