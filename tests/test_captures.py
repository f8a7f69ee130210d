"""The pictures in the documents are what the program draws now."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PICTURES = sorted((ROOT / "docs/captures").glob("*.svg"))


def test_they_are_up_to_date() -> None:
    environ = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "screenshots", "--check"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_each_is_a_picture_of_24_rows_with_keys_below(path: Path) -> None:
    root = xml.parse(path).getroot()
    texts = [part.text or "" for part in root.iter("{http://www.w3.org/2000/svg}text")]
    assert root.tag.endswith("svg") and "F1 help" in texts[-1]
    tops = {part.get("y") for part in root.iter("{http://www.w3.org/2000/svg}text")}
    assert len(tops) <= 24 and all(len(text) <= 80 for text in texts)


def test_each_is_shown_somewhere() -> None:
    shown = (ROOT / "README.md").read_text() + (ROOT / "docs/screens.md").read_text()
    assert {path.stem for path in PICTURES} == set(re.findall(r"captures/([a-z-]+)\.svg", shown))
