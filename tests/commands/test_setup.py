"""`khib setup --answers`: all choices from a file, nothing asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khib_tui.events.types import Step
from khib_tui.model import answers
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import Settings
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from tests.kit.events import failure_of
from tests.kit.sealed import PASSPHRASE

pytestmark = pytest.mark.usefixtures("quick_seals")
GIVEN = 'target = "/dev/vdb1"\ncodec = "zstd"\nafter = "reboot"\ncountdown = 3\nregion = 251658240\n'


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "answers.toml"
    path.write_text(text)
    return str(path)


def steps(events: list[Any]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Step))


def test_the_file_has_the_names_of_the_settings(tmp_path: Path) -> None:
    found = answers.load(Path(written(tmp_path, f'{GIVEN}key_file = "/etc/khib/passphrase"\n')))
    wanted = Settings(target="/dev/vdb1", codec=CodecChoice.ZSTD, after=After.REBOOT, countdown=3, region=240 << 20)
    assert (found.settings, found.key_file) == (wanted, "/etc/khib/passphrase")


def test_all_is_taken_from_the_file_and_the_command_line_counts_more(khib_events: Any, tmp_path: Path) -> None:
    (tmp_path / "khib.toml").write_text('target = "/dev/vda2"\noptions = "kept"\n')
    path = written(tmp_path, GIVEN)
    code, events = khib_events("setup", "--dry-run", "--answers", path)
    assert code == 0 and "khib.countdown=3" in steps(events) and "/dev/vdb1" in steps(events)
    assert "kept" not in steps(events)
    code, events = khib_events("setup", "--dry-run", "--answers", path, "--region", "304M")
    assert code == 0 and f"memmap={304 << 20:#x}@" in steps(events)


def test_what_is_missing_is_named(khib_events: Any, tmp_path: Path) -> None:
    code, events = khib_events("setup", "--dry-run", "--answers", written(tmp_path, "countdown = 3\n"))
    assert code and failure_of(events).ident == "HIB-E-NO-TARGET"


@pytest.mark.parametrize("text", [None, 'taget = "/dev/vdb1"\n', "countdown = 'x'\n", "[[["])
def test_a_file_that_is_wrong_is_refused(khib_events: Any, tmp_path: Path, text: str | None) -> None:
    path = str(tmp_path / "missing") if text is None else written(tmp_path, text)
    code, events = khib_events("setup", "--answers", path)
    told = failure_of(events)
    assert (code, told.ident) == (2, "HIB-E-ANSWERS") and path in told.message


def test_a_key_file_seals_first_and_c_takes_sealed_images_only(khib_events: Any, tmp_path: Path, key_file: Path) -> None:
    path = written(tmp_path, f'{GIVEN}key_file = "{key_file}"\n')
    code, events = khib_events("setup", "--dry-run", "--answers", path)
    first, *_ = [event for event in events if isinstance(event, Step)]
    assert code == 0 and first.text.startswith(f"write {tmp_path / 'seal.json'}") and "khib.sealed" in steps(events)
    assert not (tmp_path / "seal.json").exists()


@pytest.mark.parametrize(("passphrase", "again"), [(PASSPHRASE, False), (f"not {PASSPHRASE}", True)])
def test_a_seal_that_the_passphrase_opens_stays(
    khib_events: Any, tmp_path: Path, key_file: Path, passphrase: str, again: bool
) -> None:
    sealfile.save(crypto.create(passphrase, crypto.best_cipher())[0], tmp_path / "seal.json")
    path = written(tmp_path, f'{GIVEN}key_file = "{key_file}"\n')
    code, events = khib_events("setup", "--dry-run", "--answers", path)
    assert code == 0 and ("replace" in steps(events)) == again and "khib.sealed" in steps(events)
