"""What the user chose, frozen; kept in /etc/khib/khib.toml."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from khib_tui import files
from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model import jsontext
from khib_tui.model.boot import LoaderKind
from khib_tui.model.choices import AUTOMATIC, After, CodecChoice

PATH = Path("/etc/khib/khib.toml")
MAX_SIZE = 64 << 10
T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All choices. `region` is in bytes (0: what the kernel needs), `countdown` in seconds (-1: C waits for a key).

    `wake` is when the machine wakes by itself, such as `07:30` or `8h`; empty for never.
    `kernel` and `target` are paths, empty until chosen. `events` is a device that B and C send JSON events to. `boot_dir`
    is where the boot loader finds kernels, `loader` which one it is, `options` more kernel parameters for B and C. With
    `desktop`, `systemctl hibernate`, the lid and the power menu hibernate with khib.
    """

    kernel: str = ""
    target: str = ""
    region: int = AUTOMATIC
    codec: CodecChoice = CodecChoice.AUTO
    verify: bool = False
    after: After = After.POWEROFF
    wake: str = ""
    countdown: int = 10
    boot_dir: str = "/boot"
    loader: LoaderKind = LoaderKind.AUTO
    options: str = ""
    events: str = ""
    plain: bool = False
    desktop: bool = False

    @property
    def directory(self) -> Path:
        """Where kernel and initramfs of B and C are kept."""
        return Path(self.boot_dir, "khib")

    @property
    def initramfs(self) -> Path:
        """The initramfs of B and C."""
        return self.directory / "initramfs.img"

    @property
    def kernel_archive(self) -> Path:
        """The archive with C's kernel, which a C that was put elsewhere starts again from."""
        return self.directory / "kernel.cpio"


def load(path: Path = PATH) -> Settings:
    """Read the settings; a missing file gives the defaults.

    :raises UsageError: the file is wrong, with the place and the reason.
    """
    try:
        return read(path, Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, msgspec.DecodeError) as error:
        hint = _("correct the file, or run the wizard again")
        raise UsageError(f"{path}: {files.reason(error)}", hint=hint, ident="HIB-E-SETTINGS") from error


def read(path: Path, kind: type[T]) -> T:
    """Read a file of choices.

    :raises OSError: it cannot be read, or others may write it.
    :raises msgspec.DecodeError: it is wrong.
    """
    return jsontext.decode_toml(files.read_ours(path, MAX_SIZE), kind)


def save(settings: Settings, path: Path = PATH) -> None:
    """Write the settings, whole or not at all."""
    import tomli_w

    files.write(path, tomli_w.dumps(msgspec.to_builtins(settings)).encode())
