"""Decisions: pure functions of facts and choices."""
