"""The nouns of relgate: pydantic at the wire, frozen dataclasses inside; no input or output."""
