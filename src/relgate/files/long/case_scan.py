"""Reading a long cases.jsonl into columns; whatever is not plainly right in it is left to ``cases``."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from json.encoder import encode_basestring
from operator import lt
from pathlib import Path
from typing import Any

import msgspec

from relgate.domain.case import Case, Message
from relgate.domain.digest import canonical_json
from relgate.domain.errors import Problem
from relgate.domain.gate import Scalar
from relgate.domain.long_cases import repeats
from relgate.domain.spacing import single_spaced
from relgate.files.cases import KEYS, input_of, problems_of
from relgate.files.jsonl import read_row
from relgate.files.long.case_file import AT_ONCE, CaseFile, CaseTable, Texts
from relgate.files.long.lines import LineIndex, UnusualFile, scan, small
from relgate.files.long.plain_cases import KnownTags, PlainCases, plain_cases
from relgate.files.reading import shown
from relgate.late import np

_KNOWN = frozenset(KEYS)
_USUAL = frozenset({"id", "input", "expected", "tags"})
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}").fullmatch
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_decode = msgspec.json.Decoder().decode
_sha256 = hashlib.sha256


class CaseScan:
    """Reads one long file.

    Args:
        path: cases.jsonl of a suite that needs no tag of its cases.
        named: tags that the suite names.

    Attributes:
        tags: every tag with its values.

    Raises:
        UnusualFile: something in it is wrong, or two ids cannot be told apart by their hashes.
    """

    def __init__(self, path: Path, named: Collection[str]) -> None:
        self._path = path.absolute()
        self._shown = shown(path)
        self.tags: dict[str, set[Scalar]] = {}
        self._index = LineIndex(self._path)
        self._ids = bytearray()
        self._id_sizes = array("H")
        self._hashes = array("q")
        self._inputs = array("q")
        self._digests = bytearray()
        self._critical = bytearray()
        self._clusters: dict[str, int] = {}
        self._cluster = array("q")
        self._values: dict[str, dict[str, int]] = {name: {} for name in named}
        self._codes = {name: array("I") for name in named}
        self._expects = False
        self._last = ""
        self._ascending = True
        self._documents = hashlib.sha256(b"[")
        self._line = 0
        self._known_tags = KnownTags()

    def cases(self) -> CaseFile:
        """The cases of the file."""
        for begin, lines in scan(self._path):
            self._block(begin, lines)
        if not self._hashes:
            raise UnusualFile
        table = self._table()
        if not self._ascending:
            if repeats(table.id_hashes):
                raise UnusualFile
            return CaseFile(_with_digest(table))
        return CaseFile(table)

    def _block(self, begin: int, lines: list[bytes]) -> None:
        plain = plain_cases(lines, self._known_tags)
        if plain is not None:
            self._line += len(lines)
            self._index.add(begin, lines, [])
            self._note_ids(plain.ids, self._note_plain(plain))
            return
        blank: list[int] = []
        ids: list[str] = []
        documents: list[str] = []
        for place, line in enumerate(lines):
            self._line += 1
            value = self._value(line)
            if value is None:
                blank.append(place)
                continue
            ids.append(value["id"])
            documents.append(self._note(value))
        self._index.add(begin, lines, blank)
        if ids:
            self._note_ids(ids, documents)

    def _note_ids(self, ids: Sequence[str], documents: Iterable[str]) -> None:
        content = "".join(ids).encode()
        self._ids += content
        plain = content.isascii()
        self._id_sizes.extend(map(len, ids) if plain else [len(each.encode()) for each in ids])
        self._hashes.extend(map(hash, ids))
        self._ascending &= self._last < ids[0] and all(map(lt, ids, ids[1:]))
        joined = ",".join(documents).encode()
        self._documents.update(b"," + joined if self._last else joined)
        self._last = ids[-1]

    def _value(self, line: bytes) -> Mapping[str, Any] | None:
        """What a line holds, None where it is blank."""
        try:
            value = _decode(line)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            text = line.decode()
            if not text or text.isspace():
                return None
            raise UnusualFile from None
        if type(value) is dict and _is_plain(value, line):
            return value
        row = read_row(self._shown, self._line, line.decode().rstrip("\r"))
        if isinstance(row, Problem) or any(True for _ in problems_of(row, safety=False)):
            raise UnusualFile
        return row.value

    def _note(self, value: Mapping[str, Any]) -> str:
        """Note a case in the columns; its document for the digest of all cases."""
        given, expected = value.get("input"), value.get("expected")
        tags: Mapping[str, Scalar] = value.get("tags", {})
        critical, cluster = value.get("critical", False), value.get("cluster")
        digest = _digest(given, expected)
        self._digests += digest
        self._expects = self._expects or expected is not None
        self._inputs.append(_input_hash(given))
        self._critical.append(critical is not False)
        if cluster is not None:
            self._cluster += array("q", [-1]) * (len(self._inputs) - 1 - len(self._cluster))
            self._cluster.append(self._clusters.setdefault(str(cluster), len(self._clusters)))
        for name, tag in tags.items():
            known = self.tags.get(name)
            if known is None:
                known = self.tags[name] = set()
            known.add(tag)
        for name, values in self._values.items():
            code = values.setdefault(str(tags[name]), len(values)) + 1 if name in tags else 0
            self._codes[name].append(code)
        return _document(value["id"], digest, tags, cluster, critical)

    def _note_plain(self, plain: PlainCases) -> list[str]:
        """Note cases in the columns; the documents of each."""
        given, wanted = (_spelled(texts, plain.escaped) for texts in (plain.inputs, plain.expected))
        digests = b"".join(
            [
                _sha256(f'{{"expected":{one},"input":{other}}}'.encode()).digest()
                for one, other in zip(wanted, given, strict=True)
            ]
        )
        self._digests += digests
        self._expects = self._expects or plain.expected.count(None) < len(plain.expected)
        self._inputs.extend(_input_hashes(plain.inputs))
        self._critical += bytes(len(plain.ids))
        codes: dict[str, dict[int, int]] = {name: {} for name in self._values}
        for tags in {id(tags): tags for tags in plain.tags}.values():
            for name, tag in tags.values.items():
                self.tags.setdefault(name, set()).add(tag)
            for name, values in self._values.items():
                held = tags.values
                codes[name][id(tags)] = (
                    values.setdefault(str(held[name]), len(values)) + 1 if name in held else 0
                )
        for name, of_tags in codes.items():
            self._codes[name].extend([of_tags[id(tags)] for tags in plain.tags])
        hexes = digests.hex()
        return [
            f'["{case_id}","sha256:{hexes[at : at + 64]}",{tags.text},null,false]'
            for case_id, at, tags in zip(plain.ids, range(0, len(hexes), 64), plain.tags, strict=True)
        ]

    def _table(self) -> CaseTable:
        self._cluster += array("q", [-1]) * (len(self._inputs) - len(self._cluster))
        tags = {}
        for name, values in self._values.items():
            codes = np.frombuffer(self._codes[name], np.uint32)
            tags[name] = (list(values), codes.astype(np.min_scalar_type(len(values))))
        return CaseTable(
            lines=self._index.lines(),
            ids=Texts(self._ids, small(np.cumsum(np.frombuffer(self._id_sizes, np.uint16), dtype=np.int64))),
            id_hashes=np.frombuffer(self._hashes, np.int64),
            digests=np.frombuffer(self._digests, np.uint8).reshape(-1, 32),
            input_hashes=np.frombuffer(self._inputs, np.int64),
            clusters=np.frombuffer(self._cluster, np.int64) if self._clusters else None,
            critical=np.frombuffer(self._critical, np.bool_),
            tags=tags,
            expects=self._expects,
            digest=_finished(self._documents),
        )


def _is_plain(value: Mapping[str, Any], line: bytes) -> bool:
    """Whether an object is surely a sound case: strict JSON, no key twice, nothing but usual values."""
    if not value.keys() <= _USUAL or b"\\u" in line:
        return False
    case_id, given, expected = value.get("id"), value.get("input"), value.get("expected")
    if type(case_id) is not str or not _PLAIN_ID(case_id):
        return False
    if not ((type(given) is str or given is None) and (type(expected) is str or expected is None)):
        return False
    tags = value.get("tags", _NO_TAGS)
    if type(tags) is not dict:
        return False
    for tag in tags.values():
        if type(tag) is not str and type(tag) is not bool:
            return False
    pairs = len(value) + len(tags)
    return line.count(b":") == pairs or _STRINGS.sub(b"", line).count(b":") == pairs


_NO_TAGS: dict[str, Scalar] = {}


def _digest(given: Any, expected: Any) -> bytes:
    """The bytes of ``digest_json({"input": given, "expected": expected})``."""
    if (type(given) is str or given is None) and (type(expected) is str or expected is None):
        text = f'{{"expected":{_text(expected)},"input":{_text(given)}}}'
        return hashlib.sha256(text.encode()).digest()
    return hashlib.sha256(canonical_json({"input": given, "expected": expected})).digest()


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def _spelled(texts: Sequence[str | None], escaped: bool) -> list[str]:
    """``_text`` of each; ``escaped`` is whether any of them needs a backslash."""
    if escaped or None in texts:
        return list(map(_text, texts))
    return [f'"{text}"' for text in texts]


def _document(
    case_id: str, digest: bytes, tags: Mapping[str, Scalar], cluster: str | int | None, critical: Any
) -> str:
    """``canonical_json([id, digest, tags, cluster, critical])``."""
    marks = "null,false"
    if cluster is not None or critical is not False:
        own = _text(None if cluster is None else str(cluster))
        marks = f"{own},{canonical_json(critical).decode()}"
    held = _tags_text(tags)
    return f'[{encode_basestring(case_id)},"sha256:{digest.hex()}",{held},{marks}]'


def _tags_text(tags: Mapping[str, Scalar]) -> str:
    """The canonical JSON of tags."""
    if len(tags) == 1:
        ((name, tag),) = tags.items()
        if type(tag) is str:
            return f"{{{encode_basestring(name)}:{encode_basestring(tag)}}}"
    return canonical_json(tags).decode() if tags else "{}"


def _with_digest(table: CaseTable) -> CaseTable:
    """The table of a file whose ids do not ascend, with the digest over the cases ordered by id."""
    ids = table.ids.of(np.arange(len(table.lines)))
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    del ids
    digest = hashlib.sha256(b"[")
    for begin in range(0, order.size, AT_ONCE):
        documents = ",".join(map(_document_of, table.cases(order[begin : begin + AT_ONCE])))
        digest.update(("," * bool(begin) + documents).encode())
    return replace(table, digest=_finished(digest))


def _document_of(case: Case) -> str:
    digest = bytes.fromhex(case.digest.removeprefix("sha256:"))
    return _document(case.id, digest, case.tags, case.cluster, case.critical)


def _finished(digest: Any) -> str:
    digest.update(b"]")
    return f"sha256:{digest.hexdigest()}"


def _input_hash(given: Any) -> int:
    """Equal where ``decision.duplicates`` takes two inputs for the same, 0 where there is nothing to ask."""
    if type(given) is str:
        return _hash_of_words(" ".join(given.casefold().split()))
    asked = input_of(given)
    lines = () if asked is None or isinstance(asked, str) else _spoken(asked)
    said = tuple((role, " ".join(content.casefold().split())) for role, content in lines)
    return hash(said) or 1 if any(content for _, content in said) else 0


def _input_hashes(inputs: Sequence[str | None]) -> list[int]:
    """``_input_hash`` of each."""
    texts = [text or "" for text in inputs]
    joined = single_spaced(texts)
    if joined is None:
        return list(map(_input_hash, inputs))
    return list(map(_hash_of_words, joined.casefold().split("\n")))


def _hash_of_words(words: str) -> int:
    return hash(words) or 1 if words else 0


def _spoken(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    return ((message.role, message.content) for message in messages)


def scanned(path: Path, named: Collection[str]) -> tuple[CaseFile, dict[str, set[Scalar]]] | None:
    """The cases of a long file with every tag; None where the ordinary reader is needed.

    Args:
        path: cases.jsonl of a suite whose cases need no tag.
        named: tags that the suite names.
    """
    scan_of = CaseScan(path, named)
    try:
        return scan_of.cases(), scan_of.tags
    except UnusualFile:
        return None
