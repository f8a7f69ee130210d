"""`python3 -m khib_tui`: nothing that lies in the working directory is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.kit import ROOT


def test_a_module_in_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    for name in ("argparse", "msgspec", "screens"):
        (tmp_path / f"{name}.py").write_text("print('taken from here')")
    khib = f"import runpy, sys; sys.path.append({str(ROOT)!r}); sys.argv = ['khib', '--version']; sys.path[0] = ''\n"
    khib += "runpy.run_module('khib_tui', run_name='__main__', alter_sys=True)"
    done = subprocess.run([sys.executable, "-c", khib], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "taken from here" not in done.stdout and done.returncode == 0, done.stderr
