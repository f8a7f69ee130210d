"""khib is installed as a whole, runs without what it was installed from, and goes away again."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.plan import program
from khib_tui.plan.execute import execute
from khib_tui.plan.program import CopyProgram
from khib_tui.plan.step import Context
from khib_tui.program import tree
from khib_tui.runner import run

PACKED = """
import sys; sys.path.insert(0, sys.argv[1])
from khib_tui.initramfs import pyfiles
print(all(str(path).startswith(sys.argv[1]) for _, path in pyfiles.own_packages()), len(pyfiles.distributions()) > 5)
"""


def test_it_runs_from_where_it_was_put_and_leaves_nothing(tmp_path: Path, context: Context) -> None:
    prefix = tmp_path / "usr/local"
    for _ in range(2):  # the second one replaces the first
        execute(program.install(prefix), context, context.sink)
    done = run([str(program.command(prefix)), "lab", "--help"], env={"PYTHONPATH": "/nonexistent"})
    assert "play whole cycles" in done.stdout
    python = next(word for word in program.command(prefix).read_text().split() if "/python" in word)
    assert run([python, "-I", "-c", PACKED, program.folder(prefix)]).stdout.split() == ["True", "True"]
    modes = {path.stat().st_mode & 0o022 for path in program.folder(prefix).rglob("*")}
    assert modes == {0} and context.changed
    execute(program.remove(prefix), context, context.sink)
    assert not [path for path in prefix.rglob("*") if path.is_file()] and program.remove(prefix) == []


def test_a_former_one_stays_until_the_new_one_is_whole(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lib/khib"
    folder.mkdir(parents=True)
    (folder / "old").touch()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tree, "add_metadata", full)
    with pytest.raises(OSError, match="space"):
        CopyProgram(folder).apply(context)
    assert [path.name for path in folder.parent.iterdir()] == ["khib"] and (folder / "old").exists() and not context.changed


def test_the_installed_one_does_not_replace_itself(context: Context) -> None:
    with pytest.raises(Refused) as caught:
        CopyProgram(Path(program.__file__).parent.parent.parent).apply(context)
    assert caught.value.ident == "HIB-E-INSTALL"


def test_without_its_python_it_says_what_to_do(tmp_path: Path, context: Context) -> None:
    command = tmp_path / "khib"
    program.WriteCommand(command, tmp_path).apply(context)
    text = command.read_text()
    python = next(word for word in text.split() if "/python" in word)
    command.write_text(text.replace(python, "/nonexistent/python3"))
    done = run([str(command)], check=False)
    assert done.returncode == 1 and "install it again" in done.stderr
