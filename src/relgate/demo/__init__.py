"""The demo: a support desk whose parts are real and whose models are extractive programs, not LLMs.

It is what a user of relgate would write: a builder (``support_desk:build``), providers to run it against
(``providers:serve``) and the artifacts that manifests name (``artifacts/``). It imports the nouns of relgate
and nothing else of it.
"""
