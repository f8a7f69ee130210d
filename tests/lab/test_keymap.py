"""A German passphrase, typed on the emulated keyboard of C, which has A's keymap; a stock kernel, on the screen's console."""

from __future__ import annotations

import base64
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from khib_tui.events.types import Event
from khib_tui.lab import disks, sealed, setup
from khib_tui.lab.cycle import Session, asks_passphrase
from khib_tui.lab.keyboard import press
from tests.kit.lab_kit import options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long]

PASSPHRASE = "zyklus-löwe"
KEYS = "yzklus/l;we\n"  # the same places on an American keyboard
# in A: the German places of y, z, the hyphen and some umlauts, into the kernel's own table
GERMAN = """
import base64, struct, zlib
from pathlib import Path
from khib_tui.linux import keymap
german = {21: 0xB7A, 44: 0xB79, 39: 0xBF6, 40: 0xBE4, 26: 0xBFC, 53: 0x02D}
head = len(b"khib keymap 1\\n") + 4 + 256 * 12
have = bytearray(keymap.read())
for key, value in german.items():
    struct.pack_into("<H", have, head + 1 + 2 * key, value)
keymap.load(bytes(have))
print(base64.b64encode(zlib.compress(keymap.read())).decode())
"""


@dataclass
class OnScreen(Session):
    """A session whose C is spoken to on its own keyboard."""

    def pass_on(self, event: Event | dict[str, object]) -> None:
        super().pass_on(event)
        if asks_passphrase(event):
            threading.Timer(2, press, (self.lab.directory, KEYS)).start()


def test_a_german_passphrase_opens_the_seal(tmp_path: Path) -> None:
    lab = setup.prepare(options(saver="debian-13", memory=1024), tmp_path, print_event)
    session = OnScreen(lab, print_event)
    try:
        session.boot_a()
        read = session.program("env", "PYTHONPATH=/opt/khib", "python3", "-c", GERMAN).strip().splitlines()[-1]
        session.power_off()
        initramfs = setup.saver_initramfs(print_event, lab.saver, keymap=zlib.decompress(base64.b64decode(read)))
        disks.put_on_boot(lab.disk_a, {"khib/initramfs.img": initramfs})
        session.boot_a("console=tty0")
        made = sealed.seal(session, PASSPHRASE)
        session.passphrase = ""
        session.ask("fill", percent=20, shadow=lab.shadow)
        session.ask("remember", deep=False)
        session.hibernate(*made.options)
        session.resume()
        assert session.ask("check", deep=False)["intact"]
    finally:
        session.end()
