"""The scorer grounded: the share of an answer's claims that its evidence supports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judgement, Scorer, ScorerContext
from relgate.scorers.grounded_claims import claims, read_evidence, unsupported
from relgate.scorers.options import Options, read_options

_ID = ("id", "doc_id", "_id")
_TEXT = ("title", "body", "text", "content")


class GroundedOptions(Options):
    """Options of grounded."""

    all_: bool = Field(default=False, alias="all")
    corpus: str | None = Field(default=None, min_length=1)


def make_grounded(options: Mapping[str, Any], context: ScorerContext) -> Scorer:
    """The share of supported claims (unit), or with ``all: true`` whether every claim is supported (binary).

    Raises:
        OptionError: options are wrong.
        ValueError: the release has no corpus of that name, or it cannot be read.
    """
    settings = read_options(GroundedOptions, options)
    corpus = _corpus(context.release, settings.corpus) if settings.corpus is not None else None

    def judge(case: Case, response: Response) -> Judgement:
        if response.tool_calls:
            return None
        said = claims(response.output)
        if not said:
            return bool(response.output.strip()) if settings.all_ else float(bool(response.output.strip()))
        texts = _evidence(case, response, corpus)
        if isinstance(texts, ScorerFailure):
            return texts
        evidence = read_evidence(texts)
        supported = sum(unsupported(claim, evidence, case.text) is None for claim in said)
        return supported == len(said) if settings.all_ else supported / len(said)

    return Scorer("grounded", Metric("grounded", "binary" if settings.all_ else "unit"), judge)


def _evidence(
    case: Case, response: Response, corpus: Mapping[str, str] | None
) -> tuple[str, ...] | ScorerFailure:
    """The texts that the answer had to go by: the response's own, the case's, else the corpus by id."""
    if response.evidence:
        return response.evidence
    given = case.expected.get("evidence") if isinstance(case.expected, Mapping) else None
    if given is not None:
        texts = [given] if isinstance(given, str) else given
        if isinstance(texts, (list, tuple)) and texts and all(isinstance(text, str) for text in texts):
            return tuple(texts)
        return ScorerFailure(
            "grounded", f"case {case.id}: expected.evidence must be a text or a list of texts"
        )
    if corpus is None:
        what = "gives no evidence: return it with the response, write expected.evidence, or name the corpus"
        return ScorerFailure("grounded", f"case {case.id} {what}")
    unknown = [found for found in response.retrieved if found not in corpus]
    if unknown:
        return ScorerFailure("grounded", f"the corpus has no document {unknown[0]!r} (case {case.id})")
    return tuple(corpus[found] for found in response.retrieved)


def _corpus(release: Release, name: str) -> dict[str, str]:
    """Texts by id, from the JSON lines of a retrieval_corpus artifact."""
    found = next((a for a in release.of_kind("retrieval_corpus") if a.name == name), None)
    if found is None:
        have = ", ".join(a.name for a in release.of_kind("retrieval_corpus")) or "none"
        raise ValueError(f"{release.label} has no retrieval_corpus {name!r}, it has {have}")
    texts: dict[str, str] = {}
    for number, line in enumerate(found.text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key = next(row[field] for field in _ID if field in row)
            text = "\n".join(str(row[field]) for field in _TEXT if field in row)
        except (ValueError, TypeError, StopIteration):
            raise ValueError(f"line {number} of {found.reference} is no JSON object with an id") from None
        if not text:
            raise ValueError(f"line {number} of {found.reference} has neither body, text nor content")
        texts[str(key)] = text
    return texts
