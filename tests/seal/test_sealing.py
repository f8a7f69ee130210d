"""`khib seal` and the commands that need its passphrase: from key files, on a terminal, in B's and C's plain console."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui import cli
from khib_tui.decide.choice import decide
from khib_tui.errors import Refused
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Failure, Finding, Level, Message, Result, Stage, Step, decode
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.handover import pack as pack_handover
from khib_tui.image import verify
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model import machine
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.settings import Settings
from khib_tui.model.units import MIB
from khib_tui.plan.hibernate import LoadSaver
from khib_tui.plan.step import Context
from khib_tui.restorer import unlock
from khib_tui.saver import save as saver
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal import unlock as sealing
from khib_tui.seal.keyslots import Cipher, Seal
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from tests.kit import MACHINES
from tests.kit.saved import handover, nothing

FACTS = MACHINES / "qemu-bios-1g.json"
PASSPHRASE = "a good passphrase"
WHERE = "/dev/vdb1"


pytestmark = pytest.mark.usefixtures("quick_seals")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def khib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[Event]]]:
    """Run a command; gives its exit code and events. Nothing it prints holds the passphrase."""

    def run(*words: str) -> tuple[int, list[Event]]:
        code = cli.main(["--json", "--facts", str(FACTS), "--settings", str(tmp_path / "khib.toml"), *words])
        printed = capsys.readouterr()
        assert PASSPHRASE not in printed.out + printed.err
        return code, [decode(line) for line in printed.out.splitlines()]

    return run


def kept(tmp_path: Path) -> Seal | None:
    return sealfile.load(tmp_path / "seal.json")


def failure(events: list[Event]) -> Failure:
    assert isinstance(events[-1], Failure)
    return events[-1]


def test_sealing_with_a_key_file_shows_a_recovery_key_that_opens(khib: Any, tmp_path: Path, key_file: Path) -> None:
    code, events = khib("seal", "--key-file", str(key_file))
    result, made = events[-1], kept(tmp_path)
    assert code == 0 and isinstance(result, Result) and made
    assert crypto.unlock(made, PASSPHRASE) == crypto.unlock(made, result.data["recovery_key"])
    assert result.data["recovery_key"] in result.text and result.data["cipher"] == made.cipher
    assert PASSPHRASE not in (tmp_path / "seal.json").read_text()
    assert result.data["recovery_key"] not in (tmp_path / "seal.json").read_text()


def test_a_dry_run_of_sealing_writes_nothing(khib: Any, tmp_path: Path) -> None:
    for words, verb in ((("seal",), "write"), (("seal", "--off"), "remove")):
        code, events = khib(*words, "--dry-run")
        assert code == 0 and isinstance(events[0], Step) and events[0].text.startswith(verb)
    assert list(tmp_path.iterdir()) == []


def test_off_takes_the_seal_away(khib: Any, tmp_path: Path, key_file: Path) -> None:
    khib("seal", "--key-file", str(key_file))
    code, events = khib("seal", "--off")
    assert code == 0 and kept(tmp_path) is None and "existing ones stay sealed" in events[-1].text
    assert "were not sealed" in khib("seal", "--off")[1][-1].text


@pytest.mark.parametrize(
    ("content", "ident"),
    [
        (b"short", "HIB-E-WEAK"),
        (b"\n", "HIB-E-KEY-FILE"),
        (b"\xff" * 20, "HIB-E-KEY-FILE"),
        (b"x" * 4000, "HIB-E-KEY-FILE"),
        (None, "HIB-E-KEY-FILE"),
    ],
)
def test_a_bad_key_file_is_refused_and_nothing_is_written(khib: Any, tmp_path: Path, content: bytes | None, ident: str) -> None:
    path = tmp_path / "bad"
    if content is not None:
        path.write_bytes(content)
    assert failure(khib("seal", "--key-file", str(path))[1]).ident == ident
    assert kept(tmp_path) is None


def test_without_terminal_and_key_file_there_is_a_refusal(khib: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code, events = khib("seal")
    assert (code, failure(events).ident) == (4, "HIB-E-TTY") and "--key-file" in failure(events).hint
    assert kept(tmp_path) is None


def test_a_key_may_come_from_standard_input(khib: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSPHRASE.encode())))
    assert khib("seal", "--key-file", "-")[0] == 0
    made = kept(tmp_path)
    assert made and crypto.unlock(made, PASSPHRASE)


def test_characters_that_another_keyboard_may_lack_are_warned_of(khib: Any, tmp_path: Path) -> None:
    path = tmp_path / "umlauts"
    path.write_text("grüner Käse")
    _, events = khib("seal", "--key-file", str(path))
    assert [event for event in events if isinstance(event, Message) and event.level == Level.WARNING]


def test_an_unsealed_hibernation_warns_and_a_sealed_one_says_so(khib: Any, key_file: Path) -> None:
    words = ("hibernate", "--dry-run", "--target", WHERE)
    _, events = khib(*words)
    found = [event for event in events if isinstance(event, Finding)]
    assert [(event.ident, event.severity, "khib seal" in event.fix) for event in found] == [("HIB-W-UNSEALED", "warning", True)]
    assert not any("sealed" in event.text for event in events if isinstance(event, Step))
    khib("seal", "--key-file", str(key_file))
    _, events = khib(*words)
    assert not [event for event in events if isinstance(event, Finding)]
    assert [event for event in events if isinstance(event, Step) and "sealed" in event.text]


@pytest.mark.parametrize("verb", [("hibernate",), ("rehearse", "--save")])
def test_a_wrong_key_file_refuses_the_journey_before_its_first_step(
    khib: Any, tmp_path: Path, key_file: Path, verb: tuple[str, ...]
) -> None:
    khib("seal", "--key-file", str(key_file))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    key_file.write_text("another passphrase")
    before[key_file] = key_file.read_bytes()
    code, events = khib(*verb, "--target", WHERE, "--key-file", str(key_file))
    assert (code, failure(events).ident) == (4, "HIB-E-PASSPHRASE")
    assert not [event for event in events if isinstance(event, Step)]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_broken_seal_file_never_means_unsealed(khib: Any, tmp_path: Path) -> None:
    (tmp_path / "seal.json").write_text("{")
    code, events = khib("hibernate", "--target", WHERE)
    assert (code, failure(events).ident) == (2, "HIB-E-SEAL-FILE")


def test_a_journey_that_is_to_be_sealed_never_goes_unsealed() -> None:
    choice = decide(machine.load(FACTS), Settings(), sealed=True, need_target=False)
    with pytest.raises(Refused) as caught:
        LoadSaver(choice, Mode.SAVE).apply(Context(nothing))
    assert caught.value.ident == "HIB-E-PASSPHRASE"


def test_the_hand_over_carries_the_key_of_one_image_and_not_the_master_key() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    opened = sealing.unlock(made, PASSPHRASE)
    given = handover(seal=made, key=opened.image_key("ab" * 16))
    packed = pack_handover(given)
    assert bytes.fromhex(given.key) == crypto.image_key(opened.master, "ab" * 16)
    assert opened.master.hex().encode() not in packed and opened.master not in packed and PASSPHRASE.encode() not in packed
    assert msgspec.json.decode(msgspec.json.encode(given), type=Handover) == given
    assert "master" not in repr(opened)


# ---- images


@pytest.fixture
def image(tmp_path: Path) -> tuple[Found, Path]:
    """A sealed image in a file."""
    made, _ = crypto.create(PASSPHRASE, Cipher.CHACHA)
    physical, path = tmp_path / "mem", tmp_path / "image"
    physical.write_bytes(b"khib" * (6 * MIB))
    path.write_bytes(bytes(40 * MIB))
    given = handover(seal=made, key=sealing.unlock(made, PASSPHRASE).image_key("ab" * 16))
    with Store(path, writable=True) as store:
        header = saver.save(given, 3 * MIB, PhysicalMemory(physical), store, (), ("6.1", "#1"), nothing, Stop())
    return Found(TargetRef(DeviceKey("d", 1, 1, "s")), WHERE, header), path


def test_a_sealed_image_tells_only_what_its_header_says_until_it_is_opened(image: tuple[Found, Path], key_file: Path) -> None:
    found, path = image
    with Store(path) as store:
        clear = catalog.info(found, store, None)
        whole = catalog.info(found, store, sealing.info_sealer(found.header.seal, found.header.image_id, str(key_file)))
    assert clear["sealed"].startswith("chacha20-poly1305") and "processor" not in clear
    assert whole["processor"] == "m" and clear.items() - {("memory", clear["memory"])} <= whole.items()
    assert catalog.line(found).endswith(", sealed")
    listed = json.dumps(catalog.facts(found))
    assert '"seal": "chacha20-poly1305"' in listed and "salt" not in listed


def test_verify_opens_with_the_right_key_only(image: tuple[Found, Path], key_file: Path) -> None:
    found, path = image
    with Store(path) as store:
        verify.verify(
            store, found.header, nothing, Stop(), sealing.image_sealer(found.header.seal, found.header.image_id, str(key_file))
        )
    key_file.write_text("wrong passphrase")
    with pytest.raises(Refused) as caught:
        sealing.image_sealer(found.header.seal, found.header.image_id, str(key_file))
    assert caught.value.ident == "HIB-E-PASSPHRASE"


# ---- terminals

Typist = Callable[[Callable[[], object], list[str]], str]


def on_terminal(work: Callable[[], object], lines: list[str]) -> str:
    """Do the work in a process with a terminal of its own; type a line at each prompt; gives all that was shown."""
    child, fd = pty.fork()
    if child == 0:
        try:
            sys.stdin = os.fdopen(0, closefd=False)
            sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
            print(f"gave {work()}")
        except BaseException as error:
            print(f"raised {getattr(error, 'ident', '')} {error!r}")
        finally:
            sys.stdout.flush()
            os._exit(0)
    shown, asked = "", 0
    waiting = list(lines)
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data.decode()
        while shown.count(": ") - shown.count("raised") > asked and waiting and shown.endswith(": "):
            asked = shown.count(": ")
            time.sleep(0.05)
            os.write(fd, waiting.pop(0).encode() + b"\n")
    os.waitpid(child, 0)
    os.close(fd)
    return shown


def test_a_new_passphrase_is_typed_twice_and_not_shown() -> None:
    shown = on_terminal(lambda: len(secret.new("")), [PASSPHRASE, PASSPHRASE])
    assert f"gave {len(PASSPHRASE)}" in shown and PASSPHRASE not in shown
    assert "raised HIB-E-PASSPHRASE" in on_terminal(lambda: secret.new(""), [PASSPHRASE, PASSPHRASE + "x"])
    assert "raised HIB-E-WEAK" in on_terminal(lambda: secret.new(""), ["short"])


def test_three_tries_on_a_terminal() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)

    def work() -> bool:
        opened = sealing.opened(made, "")
        return opened is not None and opened.master == crypto.unlock(made, PASSPHRASE)

    shown = on_terminal(work, ["wrong one", "wrong two", PASSPHRASE])
    assert "gave True" in shown and "1 more try" in shown and "wrong one" not in shown
    assert "raised HIB-E-PASSPHRASE" in on_terminal(work, ["wrong one", "wrong two", "wrong three"])


def test_c_asks_five_times_and_tells_each_time_that_it_waits(image: tuple[Found, Path]) -> None:
    found, path = image
    before = path.read_bytes()

    def told(event: Event) -> None:
        if isinstance(event, Stage):
            print(f"<{event.stage} {event.status}>")

    def work() -> bool:
        return unlock.on_console(found, told).sealer is not None

    shown = on_terminal(work, ["bad passphrase"] * 4 + [PASSPHRASE])
    assert "gave True" in shown and shown.count("<passphrase started>") == 5
    assert shown.count("<passphrase failed>") == 4 and shown.count("<passphrase done>") == 1
    shown = on_terminal(work, ["bad passphrase"] * 5)
    assert "raised HIB-E-PASSPHRASE" in shown and shown.count("<passphrase started>") == 5
    assert path.read_bytes() == before


def test_c_asks_nothing_for_an_image_that_is_not_sealed(image: tuple[Found, Path]) -> None:
    found = image[0]
    plain = Found(found.target, found.where, msgspec.structs.replace(found.header, seal=None))
    assert unlock.on_console(plain, nothing) is plain


def test_c_takes_a_key_file_too(image: tuple[Found, Path], key_file: Path) -> None:
    events: list[Event] = []
    assert unlock.on_console(image[0], events.append, str(key_file)).sealer
    assert [event.status for event in events if isinstance(event, Stage)] == ["done"]
