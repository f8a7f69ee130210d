"""What tests share: made-up machines, images and screens."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MACHINES = ROOT / "tests" / "machines"
DATA = ROOT / "tests" / "data"
FIELD = ROOT / "tests" / "field"
