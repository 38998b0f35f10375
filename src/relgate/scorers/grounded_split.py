"""The claims of an answer: its sentences without greetings, courtesy, questions and honest absence."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    ["a.m", "p.m", "e.g", "i.e", "mr", "mrs", "ms", "dr", "no", "st", "vs", "approx", "etc"]
)
_LEADS = re.compile(
    r"(?:(?:hi|hello|hey|dear customer|good (?:question|morning|afternoon|evening|news)|great question|"
    r"thanks|"
    r"thank you|sorry|i'm sorry|i am sorry|no problem|of course|sure|certainly|"
    r"absolutely|don't (?:worry|panic)|"
    r"no worries|"
    r"gladly|ok|okay|great|well|oh)\b[^,.!?;:]{0,60}[,.!;:–-]+\s*)",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?:according to|as per|as stated in|based on)\s(?:our|the|your)?\s?[\w -]{0,40}[,:]\s*", re.IGNORECASE
)
_COURTESY = re.compile(
    r"(?:hi|hello|hey|dear|thanks|thank you|you're welcome|you are welcome|welcome|good (?:question|"
    r"luck|morning|day|"
    r"evening|news|choice)|great question|sorry (?:to hear|about|for)|i'm (?:very |"
    r"so )?sorry (?:to hear|about|for)|"
    r"i am sorry (?:to|about|for)|no problem|of course|sure|certainly|happy to help|glad to|i(?:'d|"
    r" would) be happy|"
    r"i'm happy to|let me know|feel free|please let (?:me|us) know|if you have (?:any )?(?:more|other|"
    r"further)|"
    r"have a (?:nice|great|good)|enjoy|best regards|kind regards|regards|all the best|congratulations|"
    r"i hope (?:this|that)|hope (?:this|that)|i can help|i'll (?:gladly|happily) help|just (?:ask|tell me)|"
    r"i understand|just write|"
    r"if (?:anything|something) is unclear|"
    r"that's (?:annoying|a pity|unfortunate)|what a pity|don't (?:panic|worry)|no worries|"
    r"here(?:'s| is| are) (?:what|how|the)|here you (?:go|are)|oh no)\b",
    re.IGNORECASE,
)
_SOURCES = re.compile(
    r"\b(?:articles?|help cent(?:re|er)|help pages?|information|documents?|docs|texts?|sources?|"
    r"knowledge base|"
    r"material|extracts?|it|they)\b",
    re.IGNORECASE,
)
_SILENT = re.compile(
    r"\b(?:(?:do|does|did)(?: not|n't) (?:\w+ )?(?:say|mention|tell|state|cover|list|give|contain|"
    r"include|answer|explain|"
    r"specify|describe|address)|(?:say|says|mention|give|state|gives|mentions) nothing|nothing (?:about|"
    r"on|there)|"
    r"silent|no (?:information|mention|word|details?|figure|answer))\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\bI(?: \w+)?(?: |')?(?:can't|cannot|could ?n[o']t|couldn't|don't|do not|haven't|have not|am not|"
    r"m not)(?: \w+){0,2} "
    r"(?:find|found|see|seen|know|have|tell|say|sure|confirm|answer|any information)\b",
    re.IGNORECASE,
)


YES = "Yes"
"""The claim that what the question asks is so."""

_AFFIRMED = re.compile(
    r"(?:yes|yep|yeah)\b[,.!;:\s–-]*(?:of course|certainly|sure|absolutely)?[,.!;:\s–-]*", re.IGNORECASE
)


def sentences(text: str) -> list[str]:
    """Sentences and list items of a text, in order."""
    found: list[str] = []
    for line in text.splitlines():
        start = 0
        for mark in re.finditer(r"[.!?]+[\"'”’)]*(?=\s|$)", line):
            before = line[start : mark.start()].rsplit(None, 1)
            last = before[-1].lower().strip("(\"'") if before else ""
            following = line[mark.end() :][:4].strip(" \"'“(")
            if mark.group() == "." and last in _ABBREVIATIONS and not following[:1].isupper():
                continue
            if (
                mark.group() == "."
                and last.isdigit()
                and not line[:start].strip()
                and before[0] == before[-1]
            ):
                start = mark.end()
                continue
            found.append(line[start : mark.end()])
            start = mark.end()
        found.append(line[start:])
    stripped = (re.sub(r"^[\s\-*•–#>]+", "", sentence).strip() for sentence in found)
    return [sentence for sentence in stripped if any(ch.isalnum() for ch in sentence)]


def claims(answer: str) -> list[str]:
    """The claims of an answer in order; a leading yes is a claim of its own."""
    said: list[str] = []
    for sentence in sentences(answer.replace("’", "'")):
        yes = _AFFIRMED.match(sentence)
        if yes is not None:
            said.append(YES)
            sentence = sentence[yes.end() :]
        said.append(_claim(sentence))
    return [claim for claim in said if claim]


def _claim(sentence: str) -> str:
    """The sentence without courtesy in front, or nothing where it claims nothing."""
    rest = sentence
    for _ in range(3):
        lead = _LEADS.match(rest) or _SOURCE.match(rest)
        if lead is None:
            break
        rest = rest[lead.end() :]
    if not any(ch.isalnum() for ch in rest) or rest.rstrip("\"')").endswith("?"):
        return ""
    if _COURTESY.match(rest) and not any(ch.isdigit() for ch in rest):
        return ""
    if _is_absence(rest):
        return ""
    return rest


def _is_absence(sentence: str) -> bool:
    """Whether it says no more than that the sources are silent or the speaker does not know."""
    short = sentence[:400]
    return bool((_SILENT.search(short) and _SOURCES.search(short)) or _UNKNOWN.search(short))
