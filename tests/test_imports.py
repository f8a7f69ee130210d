"""What B and C import at their start: each module costs them time, before the user sees anything."""

from __future__ import annotations

import sys

import pytest

from khib_tui.runner import run

STARTS = {
    "B": "import khib_tui.init, khib_tui.saver.fate, khib_tui.saver.supervise, khib_tui.commands.save",
    "C": (
        "import khib_tui.init, khib_tui.cli, khib_tui.linux.child, khib_tui.commands.restore, khib_tui.restorer.run\n"
        "import khib_tui.restorer.unlock, khib_tui.commands.arguments"
    ),
    "A": "import khib_tui.commands.hibernate",
}
OWN = {
    "commands", "decide", "errors", "events", "facts", "files", "formats", "handover", "i18n", "image", "init", "jump", "linux",
    "model", "present", "prints", "seal", "target",
}  # fmt: skip
MAY = {"B": OWN | {"pagefilter", "saver"}, "C": OWN | {"cli", "restorer"}}
LIBRARIES = {"humanize", "lz4", "msgspec", "typing_extensions", "xxhash", "zstandard"}
# slow to import, or slow to use at import
NEVER = {
    "dataclasses",
    "secrets",
    "random",
    "tempfile",
    "subprocess",
    "cryptography",
    "urwid",
    "screens",
    "importlib.metadata",
    "khib_tui.facts.probe",
}


def imported(start: str) -> set[str]:
    """Return the modules that a start adds to those which every Python has."""
    script = f"import sys; had = set(sys.modules)\n{STARTS[start]}\nprint(*sorted(set(sys.modules) - had))"
    return set(run([sys.executable, "-c", script]).stdout.split())


@pytest.mark.parametrize("start", MAY)
def test_a_start_imports_what_it_needs_and_nothing_slow(start: str) -> None:
    names = imported(start)
    assert not names & NEVER
    own = {name.split(".")[1] for name in names if name.startswith("khib_tui.")}
    assert own <= MAY[start], own - MAY[start]
    foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"khib_tui"}
    assert {name for name in foreign if not name.startswith("_")} <= LIBRARIES | {"org"}


def test_the_save_does_without_argparse_and_the_parser() -> None:
    assert not imported("B") & {"argparse", "khib_tui.commands.arguments", "khib_tui.formats.bzimage"}


def test_a_hibernation_does_without_what_only_making_an_initramfs_or_a_report_needs() -> None:
    assert not imported("A") & {
        "importlib.metadata",
        "importlib.resources",
        "email",
        "compileall",
        "urwid",
        "cryptography",
        "elftools",
    }
