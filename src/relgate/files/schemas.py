"""JSON Schemas (draft 2020-12) of what users write and read, for editors and for other tools."""

from __future__ import annotations

from typing import Any

import msgspec

from relgate.domain.scorecard import Scorecard
from relgate.files.manifest_model import Manifest
from relgate.files.recording_rows import RecordingRow
from relgate.files.suite_model import CaseRow, SuiteFile

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Name -> JSON Schema of the manifest, suite, case, recording row and scorecard."""
    return {
        "manifest": _titled(
            Manifest.model_json_schema(),
            "relgate manifest",
            "One release: everything that changes behaviour, who owns it and how to go back.",
        ),
        "suite": _titled(
            SuiteFile.model_json_schema(),
            "relgate suite",
            "suite.yaml: what is measured on the cases beside it, and what a release must meet.",
        ),
        "case": _titled(
            CaseRow.model_json_schema(),
            "relgate case",
            "One line of cases.jsonl or regressions.jsonl: what is asked and what is expected.",
        ),
        "recording": _titled(
            _recording(),
            "relgate recording row",
            "One line of a recording: the answer, scores or error of one trial of one case.",
        ),
        "scorecard": _titled(
            Scorecard.model_json_schema(by_alias=True, mode="serialization"),
            "relgate scorecard",
            "scorecard.json: the verdict on a release with everything that led to it.",
        ),
    }


def _titled(schema: dict[str, Any], title: str, description: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, **schema, "title": title, "description": description}


def _recording() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([RecordingRow], ref_template="#/$defs/{name}")
    own = components.pop("RecordingRow")
    return {**own, "$defs": components}
