"""What a clause affirms or denies, and pairs of opposites."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_NEGATORS = frozenset(
    [
        "not",
        "never",
        "no",
        "none",
        "nobody",
        "nothing",
        "without",
        "neither",
        "nor",
        "nowhere",
        "hardly",
        "unable",
    ]
)
_DENYING = frozenset(["forbidden", "prohibited", "excluded", "impossible", "ineligible"])
_TURNING = frozenset(
    [
        "otherwise",
        "rather",
        "instead",
        "except",
        "exclude",
        "refuse",
        "void",
        "ruled",
        "stop",
        "waived",
        "unless",
    ]
)
_OPPOSITES = """before after|first last|atleast atmost|morethan lessthan|above below|over under|always never
open closed|open shut|free charged|free fee|free cost|free costs|earlier later|with without|same different
same another|start end|begins ends|may must|optional required|automatically yourself|automatically manually
front back|inside outside|inside out|top bottom|minimum maximum|hot cold|warm cold|wet dry|full empty
increase decrease|raise lower|new old|morning evening|morning afternoon|included excluded|lock unlock
locked unlocked
before afterwards|beforehand afterwards|first afterwards|all some|whole partly|entire partly|full partly
any some
buyer seller|seller we|you we|your our|younger older|highest lowest|longest shortest|longer shorter
higher lower
cheaper dearer|everyone only|all only|every only|each only|any only|anyone only|regardless only
private business
immediately later|immediately after|once after|on off|activate deactivate|yes no|left right|upper lower
up down
sender recipient|giver recipient|weekdays sundays|soon after|separately together|before once|before until
may recommended|must recommended|must may|must can|required may|online store|summer winter|always usually
always normally|always mostly|always often|never rarely|best worst|horizontal vertical|upright flat
accepted rejected"""
OPPOSITES: dict[str, set[str]] = {}
for _line in _OPPOSITES.replace("|", "\n").splitlines():
    _left, _right = _line.split()
    OPPOSITES.setdefault(_left, set()).add(_right)
    OPPOSITES.setdefault(_right, set()).add(_left)


def denies(words: Sequence[str]) -> bool:
    """Whether a clause denies: an odd number of negators; "not only" is none."""
    count = 0
    for at, word in enumerate(words):
        if word in _NEGATORS:
            following = words[at + 1] if at + 1 < len(words) else ""
            count += not (
                word in ("not", "no") and following in ("only", "just", "problem", "later", "matter")
            )
        elif word in _DENYING:
            count += 1
    return count % 2 == 1


def hints_denial(words: Collection[str]) -> bool:
    """Whether any word of a sentence may deny; such a sentence does not contradict another such."""
    return any(word in _NEGATORS or word in _DENYING or word in _TURNING for word in words)


def opposites(said: Collection[str], told: Collection[str]) -> list[tuple[str, str]]:
    """Words said whose opposite is told while the word itself is not, nor the opposite said."""
    return [
        (word, other)
        for word in sorted(said)
        if word in OPPOSITES and word not in told
        for other in sorted(OPPOSITES[word])
        if other in told and other not in said
    ]
