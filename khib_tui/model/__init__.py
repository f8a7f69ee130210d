"""Frozen data: what all packages speak of."""
