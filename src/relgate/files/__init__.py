"""YAML and JSON lines in, domain nouns out; every error carries ``file:line:col``, value and remedy."""

from relgate.files.environment import bind_environment, values_of_variables
from relgate.files.manifest import LoadedManifest, ReleaseDraft, draft_release, load_manifest, resolve_release
from relgate.files.recordings import Recording, load_recording
from relgate.files.schemas import schemas
from relgate.files.suite_draft import SuiteDraft
from relgate.files.suite_folders import below, find_suites
from relgate.files.suites import load_suite, load_suites, read_suites
from relgate.files.wire import did_you_mean
from relgate.files.yamldoc import YamlDocument, load_yaml

__all__ = [
    "LoadedManifest",
    "Recording",
    "ReleaseDraft",
    "SuiteDraft",
    "YamlDocument",
    "below",
    "bind_environment",
    "did_you_mean",
    "draft_release",
    "find_suites",
    "load_manifest",
    "load_recording",
    "load_suite",
    "load_suites",
    "load_yaml",
    "read_suites",
    "resolve_release",
    "schemas",
    "values_of_variables",
]
