"""A judge that looks at nothing but the answer's text: of one answer, or of many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from relgate.domain.case import Case
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judgement
from relgate.scorers.comparing import OneOrMore, after_last, expected_texts, normalise, normalised


class TextJudge:
    """Compares an answer with the texts that are expected.

    Args:
        scorer: its name, for what it says of cases that it cannot judge.
        value: what is expected of every case; None for what each case says itself.
        fits: whether an answer fits one text; both are normalised.
        enough: ``any`` or ``all`` of the texts that the answer must fit.
        case_sensitive: whether letter case counts.
        after: only what follows its last occurrence is the answer; None for the whole text.
    """

    def __init__(
        self,
        scorer: str,
        value: OneOrMore | None,
        fits: Callable[[str, str], bool],
        enough: Callable[[Iterable[bool]], bool],
        *,
        case_sensitive: bool,
        after: str | None = None,
    ) -> None:
        self._scorer = scorer
        self._value = value
        self._fits = fits
        self._enough = enough
        self._case_sensitive = case_sensitive
        self._after = after

    def __call__(self, case: Case, response: Response) -> Judgement:
        """The judgement of one answer."""
        wanted = expected_texts(case, self._value, self._scorer)
        if wanted is None or isinstance(wanted, ScorerFailure):
            return wanted
        answer = normalise(after_last(response.output, self._after), case_sensitive=self._case_sensitive)
        return self._enough(
            self._fits(answer, normalise(text, case_sensitive=self._case_sensitive)) for text in wanted
        )

    def of_texts(self, expected: Sequence[str | None], outputs: Sequence[str]) -> list[bool | None]:
        """The judgements of many answers, as each one alone would have it.

        Args:
            expected: what each case expects, None where it expects nothing.
            outputs: the answers, one of each case.
        """
        said = outputs if self._after is None else [after_last(output, self._after) for output in outputs]
        answers = normalised(said, case_sensitive=self._case_sensitive)
        texts = normalised([text or "" for text in expected], case_sensitive=self._case_sensitive)
        fits = map(self._fits, answers, texts)
        if None not in expected:
            return list(fits)
        return [None if text is None else fit for text, fit in zip(expected, fits, strict=True)]

    @property
    def goes_by_cases(self) -> bool:
        """Whether each case says what is expected, as ``of_texts`` takes it."""
        return self._value is None
