"""Scorers: functions of a case and a response, and the one place where they are called."""

from relgate.scorers.builtin import BUILTINS, Factory
from relgate.scorers.recorded import infer_kind
from relgate.scorers.refusal import is_refusal
from relgate.scorers.regression import read_assertions
from relgate.scorers.scoring import fits_kind, score_failure, score_response
from relgate.scorers.text_judge import TextJudge

__all__ = [
    "BUILTINS",
    "Factory",
    "TextJudge",
    "fits_kind",
    "infer_kind",
    "is_refusal",
    "read_assertions",
    "score_failure",
    "score_response",
]
