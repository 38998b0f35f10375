"""Every trap of YAML is a problem with its place, never a silent value and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.files import load_yaml
from relgate.files.yamldoc import MAX_BYTES


def read(folder: Path, content: str | bytes) -> list[str]:
    path = folder / "m.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load_yaml(path)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: no\n",
            'm.yaml:1:4: means different things to different YAML readers, no, write "no" in quotes or false',
        ),
        (
            "a: ON\n",
            'm.yaml:1:4: means different things to different YAML readers, ON, write "ON" in quotes or true',
        ),
        ("a: 012\n", 'm.yaml:1:4: a number with a leading zero, 012, write "012" in quotes or 12'),
        ("a: 1_000\n", 'm.yaml:1:4: a number with underscores, 1_000, write "1_000" in quotes or 1000'),
        (
            "a: 1e3\n",
            'm.yaml:1:4: a number with an exponent and no dot, 1e3, write "1e3" in quotes or 1000.0',
        ),
        ("a: .nan\n", 'm.yaml:1:4: is not a finite number, .nan, write ".nan" in quotes or a number'),
        ("a: 1.0e999\n", "m.yaml:1:4: a number too large, 1.0e999, put it in quotes if it is text"),
        ("a: 1\nb: 2\na: 3\n", "m.yaml:3:1: duplicate key, 'a', the first is on line 1"),
        ("a: &x 1\n", "m.yaml:1:4: anchors are not allowed, &x, write the value out"),
        ("a: 1\nb: *x\n", "m.yaml:2:4: aliases are not allowed, *x, write the value out"),
        ("<<: {a: 1}\n", "m.yaml:1:1: merge keys are not allowed, <<, write the keys out"),
        ("a: !env X\n", "m.yaml:1:4: tags are not allowed, !env, remove it; put text in quotes instead"),
        ("a:\n\tb: 1\n", "m.yaml:2:1: a tab in the indentation, use spaces"),
        ("a: [1\nb: 2\n", "m.yaml:2:2: bad YAML, did not find expected ',' or ']'"),
        (
            "a: {k: ${X}}\n",
            "m.yaml:1:9: bad YAML, did not find expected ',' or '}', put \"${...}\" in quotes",
        ),
        ("a: 1\n---\nb: 2\n", "m.yaml:2:1: a second document, ---, keep one document per file"),
        ("a: {? [x] : y}\n", "m.yaml:1:7: a key should be text"),
        ("", "m.yaml:1:1: is empty, write key: value, or begin with what relgate init writes"),
        (
            "# only a comment\n",
            "m.yaml:1:1: is empty, write key: value, or begin with what relgate init writes",
        ),
        ("- a\n", "m.yaml:1:1: should be a mapping, write key: value"),
        ("a: \x01\n", "m.yaml:1:4: a control character, U+0001, remove it"),
        ("a: " + "[" * 60 + "]" * 60, "m.yaml:1:53: is nested deeper than 50 levels"),
        (b"a: \x00\n", "m.yaml:1:4: is a binary file (NUL byte), write it as UTF-8 text"),
        (b"a: 1\nb: caf\xe9\n", "m.yaml:2:7: is not UTF-8, byte 0xe9, save it as UTF-8"),
        ("a: 1\n".encode("utf-16"), "m.yaml:1:1: is UTF-16, save it as UTF-8"),
    ],
)
def test_one_problem_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(tmp_path, text) == [problem]


def test_all_problems_at_once_in_order_of_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = read(tmp_path, "a: no\nb: 012\na: on\nc: *x\n")
    assert [line.split(": ")[0] for line in lines] == [
        "m.yaml:1:4",
        "m.yaml:2:4",
        "m.yaml:3:1",
        "m.yaml:3:4",
        "m.yaml:4:4",
    ]


def test_values_follow_the_core_schema(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(
        "\ufeffdate: 2026-04-30\ntime: 1:30\nint: -7\nhex: 0x1f\nfloat: 0.05\nexp: 1.5e3\nnull: ~\nempty:\n"
        "bool: true\ntext: 'no'\n1: one\n".encode()
    )
    assert load_yaml(path).value == {
        "date": "2026-04-30",
        "time": "1:30",
        "int": -7,
        "hex": 31,
        "float": 0.05,
        "exp": 1500.0,
        "null": None,
        "empty": None,
        "bool": True,
        "text": "no",
        "1": "one",
    }


def test_places_of_values_keys_and_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("m.yaml")
    path.write_text("a:\n  b: [x, {c: 1.10}]\n")
    document = load_yaml(path)
    assert str(document.place(("a", "b", 1, "c"))) == "m.yaml:2:14"
    assert str(document.key_place(("a", "b", 1, "c"))) == "m.yaml:2:11"
    assert str(document.place(("a", "tag-of-a-union", "b", 0))) == "m.yaml:2:7"
    assert str(document.place(("a", "missing"))) == "m.yaml:2:3"
    assert document.raw(("a", "b", 1, "c")) == "1.10"


def test_missing_folder_unreadable_and_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    big = tmp_path / "big.yaml"
    with big.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for name, what in [
        ("none.yaml", "no such file"),
        (".", "is a folder"),
        ("big.yaml", "is larger than 10 MB"),
    ]:
        with pytest.raises(InputError, match=what):
            load_yaml(Path(name))


def test_nothing_of_a_secret_is_shown(tmp_path: Path) -> None:
    for text in ("api_key: 0123456", "token: 12_345", "a: {secret: 9e9}"):
        shown = "".join(read(tmp_path, text + "\n")).rpartition("m.yaml")[2]
        assert "write it as ${NAME_OF_A_VARIABLE}" in shown
        assert not {"0123456", "12_345", "9e9", "12345"} & set(
            shown.replace(",", " ").replace('"', " ").split()
        )


def test_without_libyaml_the_same_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    monkeypatch.setattr("relgate.files.yamldoc._LOADER", yaml.SafeLoader)
    lines = read(tmp_path, "a: no\na: [1, *x]\n")
    assert len(lines) == 3
    assert "bad YAML" in read(tmp_path, "a: [1\nb: 2\n")[0]
