"""Text ↔ domain: layout, strict YAML, schemas, codec, span edits and the canonical form; no files, no Git."""
