from __future__ import annotations

import os
from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.files.reading import read_bytes


def test_a_pipe_is_refused_before_anything_waits_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "prompt.md"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a device or a pipe"):
        read_bytes(pipe)


def test_an_endless_device_is_refused() -> None:
    with pytest.raises(InputError, match="is a device or a pipe"):
        read_bytes(Path("/dev/zero"))
