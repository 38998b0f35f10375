"""Human labels and the answers that they speak of: a label of one answer says nothing of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relgate.decision.measurements import SuiteData
from relgate.decision.wording import count
from relgate.domain.case import Label
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.response import Side
from relgate.late import np
from relgate.redaction import generic


def answer_digest(redacted: str) -> str:
    """The 16 hex digits by which labels name an answer.

    Args:
        redacted: the answer as the registry holds it. Placeholders count by their type alone, so that the
            digest is the same under every redaction key.
    """
    return digest_bytes(generic(redacted).encode()).removeprefix("sha256:")[:16]


def label_id(label: Label) -> str:
    """A short digest of a label: another case, side, score, hand or answer is another label."""
    parts = [label.case_id, label.side, label.score, label.by, *([label.answer] if label.answer else [])]
    return digest_json(parts).removeprefix("sha256:")[:12]


NO_ANSWER = 0.0
"""What people would say of an answer that never came, as every scorer does."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What people say of one side's first answer to a case, beside the judge's score of the very same answer.

    Attributes:
        human: mean score of its labels, in [0, 1].
        judged: the judge's score; None where it gave none.
        label_ids: of the labels; none where there was nothing to read.
    """

    human: float
    judged: float | None
    label_ids: frozenset[str]


def readings(data: SuiteData, metric: str) -> dict[tuple[Side, str], Reading]:
    """Per side and case what people say of its first answer in this run.

    One answer of each case and side counts, the first that was measured: which one that is nobody chooses,
    so its labels say without bias what the side answers. Those of further trials would not, for the answers
    that have labels there are the ones that an older release gave as well. A label counts wherever the answer
    that it is of is such a first one, on either side. Where the application failed there is nothing to read:
    that is as bad as can be.

    Args:
        data: the suite's measurements.
        metric: what the judge reports.
    """
    said = _by_answer(data)
    found: dict[tuple[Side, str], Reading] = {}
    for (side, case_id), answers in data.answers.items():
        first = answers[0]
        if not first.digest:
            found[side, case_id] = Reading(NO_ANSWER, NO_ANSWER, frozenset())
        elif labels := said.get((case_id, first.digest)):
            found[side, case_id] = Reading(
                human=float(np.mean([label.score for label in labels])),
                judged=first.scores.get(metric),
                label_ids=frozenset(map(label_id, labels)),
            )
    return found


def _by_answer(data: SuiteData) -> dict[tuple[str, str], list[Label]]:
    found: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in data.suite.labels:
        answer = label.answer or data.bound.get(label_id(label), "")
        if answer:
            found[label.case_id, answer].append(label)
    return found


def bind(data: SuiteData, remembered: Mapping[str, str]) -> dict[str, str]:
    """The answer that each label without one speaks of, by ``label_id``.

    Args:
        data: the suite's measurements.
        remembered: what earlier runs bound: the answer that a label was first used with. A label that is new
            speaks of the first answer of its side in this run.
    """
    bound: dict[str, str] = {}
    for label in data.suite.labels:
        if label.answer:
            continue
        name = label_id(label)
        answers = (answer.digest for answer in data.answers.get((label.side, label.case_id), ()))
        if found := remembered.get(name) or next(filter(None, answers), ""):
            bound[name] = found
    return bound


def draw_order(cases: Iterable[str]) -> list[str]:
    """Cases in an order that nothing about them or their answers can influence: by a digest of the id."""
    return sorted(cases, key=lambda case: digest_json(["labels", case]))


def labelled_cases(labels: Iterable[Label], cases: Iterable[str]) -> int:
    """Of these cases, how many have a label of any answer: no more can have labels on both sides."""
    return len({label.case_id for label in labels} & set(cases))


JUDGE_AGAIN = "then run again with `--reuse always`: the same answers, without a call"
"""What follows every ``label_step``: answers that nobody has read would need labels of their own."""


def label_step(suite: str, cases: int, *, again: bool = False) -> str:
    """The commands that let people read this many cases, drawn at random, and take what they say.

    Args:
        suite: the suite's name.
        cases: how many.
        again: whether answers that have labels are to be read anew.
    """
    noun = count(cases, "case" if again else "more case")
    anew = " again (write when into `by`)" if again else ""
    flag = " --again" if again else ""
    return (
        f"label {noun} of {suite} on both sides{anew}: "
        f"`relgate judge sample RUN --suite {suite} --n {cases}{flag} --out FILE`, "
        f"then `relgate judge label FILE --suite {suite}`"
    )
