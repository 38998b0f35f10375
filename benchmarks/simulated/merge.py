"""Put the rows of some gate kinds, measured again, into a page that has them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulated.report import Report

LISTS = ("## What missed its bound", "## Powers below")


def merged(page: str, part: str, report: Report) -> str:
    """The page with the rows, the misses and the experiments of ``part`` in place of its own.

    Args:
        page: what a run over everything wrote.
        part: the page of a run over some kinds.
        report: what ``part`` was made from.
    """
    kinds = sorted({m.cell.kind for m in report.cells})
    fresh = dict(_sections(part))
    found = []
    for head, lines in _sections(page):
        mine = fresh.pop(head, None)
        if not head:
            found += _told(lines, kinds, report)
        elif mine is None:
            found += lines
        elif head.startswith(LISTS):
            found += _listed(lines, mine, (*kinds, *_names(report)))
        elif head.removeprefix("## ") in report.claims:
            found += mine
        else:
            found += _rows(lines, mine, kinds)
    for lines in fresh.values():
        found += lines
    return "\n".join(found).rstrip("\n") + "\n"


def _names(report: Report) -> Iterator[str]:
    return (claim.name for claims in report.claims.values() for claim in claims)


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Heading ("" before the first) and lines, the heading's own among them."""
    head, lines = "", list[str]()
    for line in text.split("\n"):
        if line.startswith("## "):
            yield head, lines
            head, lines = line, []
        lines.append(line)
    yield head, lines


def _told(lines: Sequence[str], kinds: Sequence[str], report: Report) -> list[str]:
    """The page's introduction, with what was measured again, when and how."""
    names = ", ".join([*kinds, *report.claims])
    seconds = report.wall or report.cpu
    took = f"{seconds / 60:.0f} minutes" if seconds >= 90.0 else f"{seconds:.0f} s"
    told = f"Measured again on {report.date} by `{report.command}` ({took}, seed {report.seed}): {names}."
    stale = {
        i
        for i, line in enumerate(lines)
        if line.startswith("Measured again") and line.endswith(f": {names}.")
    }
    kept = [line for i, line in enumerate(lines) if i not in stale and i - 1 not in stale]
    place = next(i for i, line in enumerate(kept) if line.startswith("Every figure"))
    return [*kept[:place], told, "", *kept[place:]]


def _listed(old: Sequence[str], new: Sequence[str], names: Sequence[str]) -> list[str]:
    """A list of misses, without those of ``names`` that ``new`` does not have."""
    bullets = [line for line in old if line.startswith("- ") and not line[2:].startswith(tuple(names))]
    bullets += [line for line in new if line.startswith("- ")]
    none = "Nothing." if old[0] == LISTS[0] else "None."
    body = [line for line in old if line not in ("Nothing.", "None.") and not line.startswith("- ")]
    while body and not body[-1]:
        body.pop()
    return [*body, "", *(bullets or [none]), ""]


def _rows(old: Sequence[str], new: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """A table in which the rows of ``kinds`` are those of ``new``, where the first of them stood."""
    firsts = tuple(f"| {kind} |" for kind in kinds)
    place = next((i for i, line in enumerate(old) if line.startswith(firsts)), None)
    if place is None:
        rows = [i for i, line in enumerate(old) if line.startswith("| ")]
        place = next((i for i in rows[1:] if old[i] > firsts[0]), rows[-1] + 1)
    before = [line for line in old[:place] if not line.startswith(firsts)]
    after = [line for line in old[place:] if not line.startswith(firsts)]
    return [*before, *(line for line in new if line.startswith(firsts)), *after]
