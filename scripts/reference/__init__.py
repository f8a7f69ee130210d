"""Writes docs/events.md and docs/idents.md from the code."""
