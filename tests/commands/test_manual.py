"""The man page and the completion know every command and option, because the parser makes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui import cli, i18n
from khib_tui.commands.arguments import COMMANDS, parser
from khib_tui.commands.manual import commands, completion, man, options
from khib_tui.runner import run
from screens.ui.keys import Key


def test_every_command_option_and_key_is_in_the_man_page() -> None:
    text = man(parser()).replace("\\-", "-")
    for name, command in commands(parser()):
        assert name == "khib" or f".SS {name}\n" in text
        assert all(f"\\fB{word}\\fR" in text for action in options(command) for word in action.option_strings)
    assert all(key.text in text for key in Key) and "/etc/khib/khib.toml" in text


@pytest.fixture
def german() -> Iterator[None]:
    i18n.use("de")
    yield
    i18n.use("en")


def test_the_man_page_is_in_one_language(german: None) -> None:
    text = man(parser()).replace("\\-", "-")
    assert [line for line in text.splitlines() if line.startswith(".SH")] == [
        f".SH {word}" for word in ("BEZEICHNUNG", "ÜBERSICHT", "OPTIONEN", "BEFEHLE", "TASTEN", "RÜCKGABEWERT", "DATEIEN")
    ]
    assert "zurück zum laufenden System" in text and "die Einstellungen" in text


@pytest.mark.parametrize(("words", "wanted"), [
    ([], ("Aufruf: khib", "BEFEHL", "Argumente:", "Optionen:", "diese Hilfe zeigen")),
    (["image", "verify"], ("Aufruf: khib image verify", "jedes Byte", "--key-file DATEI", "Rückgabewerte: 0 erledigt")),
])  # fmt: skip
def test_help_is_in_the_language_of_the_user(
    words: list[str], wanted: tuple[str, ...], german: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([*words, "--help"])
    said = capsys.readouterr().out
    assert all(text in said for text in wanted)
    assert not {"usage:", "options:", "show this help", "exit codes"} & set(said.split(" "))


@pytest.mark.parametrize(
    ("words", "wanted"), [(["manual"], "RUeCKGABEWERT"), (["setup", "--help"], "das ganze Abbild zuruecklesen")]
)
def test_where_umlauts_cannot_be_written_they_are_spelt_out(words: list[str], wanted: str) -> None:
    env = {**os.environ, "LANGUAGE": "de", "LANG": "C.UTF-8", "PYTHONIOENCODING": "ascii", "COLUMNS": "120"}
    assert wanted in run([sys.executable, "-m", "khib_tui", *words], env={**env, "LC_ALL": ""}).stdout


def test_no_line_of_text_is_taken_for_a_macro() -> None:
    macros = (".TH", ".SH", ".SS", ".TP", ".br")
    assert all(line.startswith(macros) for line in man(parser()).splitlines() if line.startswith((".", "'")))


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("", set(COMMANDS)), ("rehearse", {"--echo", "--save"}), ("image", {"list", "discard"}), ("image discard", {"--yes"})],
)
def test_bash_completes_each_command_with_its_own_words(tmp_path: Path, typed: str, wanted: set[str]) -> None:
    (tmp_path / "khib").write_text(completion(parser()))
    words = ["khib", *typed.split(), ""]
    script = f"complete() {{ :; }}; . {tmp_path}/khib; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; "
    done = subprocess.run(["bash", "-c", script + "_khib; echo ${COMPREPLY[@]}"], capture_output=True, text=True, check=True)
    assert wanted <= set(done.stdout.split())


def test_the_command_prints_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["manual"]) == 0 and capsys.readouterr().out.startswith(".TH KHIB 8")
    assert cli.main(["manual", "--completion"]) == 0 and "complete -o default" in capsys.readouterr().out
