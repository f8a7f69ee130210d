"""The distribution's kernel that is built anew: its release, its package's version, its configuration, its modules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.facts import kconfig
from khib_tui.formats import bzimage
from khib_tui.i18n import _

SUFFIX = "-khib"
_VERSION = re.compile(r"\bDebian (\d\S*) \(")
_PLACES = ("lib/modules", "usr/lib/modules")


@dataclass(frozen=True)
class Stock:
    """A kernel as its distribution ships it.

    :param path: of its image.
    :param version: of its package, such as `6.1.192-2`.
    :param text: its configuration.
    :param modules: its folder of modules; it need not be there.
    """

    path: Path
    release: str
    version: str
    text: str
    modules: Path

    @cached_property
    def config(self) -> dict[str, str]:
        """The configuration as a table, without `CONFIG_`."""
        return kconfig.parse(self.text)

    @property
    def ours(self) -> str:
        """The release of the kernel that is built of it, which is installed beside it."""
        return self.release + SUFFIX

    @property
    def package(self) -> str:
        """The package that has its source, such as `linux-source-6.1`."""
        return "linux-source-" + ".".join(self.version.split(".")[:2])

    @property
    def modules_fit(self) -> bool:
        """Whether its modules may be loaded by another kernel of the same interfaces, and are here."""
        return self.config.get("MODVERSIONS") == "y" and (self.modules / "kernel").is_dir()


def identify(path: Path) -> Stock:
    """Look at a kernel of Debian.

    :param path: of its image in a boot folder; its modules lie below the parent of that folder.
    :raises Refused: it is no kernel of Debian, has no configuration beside it, or can jump already.
    """
    image = bzimage.read(path)
    found = _VERSION.search(image.banner)
    if not found:
        raise Refused(
            _("kernel {release} is not Debian's, so no package has its source").format(release=image.release),
            hint=_("rebuild it with CONFIG_KEXEC_JUMP=y by the way of its distribution"), ident="HIB-E-BUILD-FOREIGN",
        )  # fmt: skip
    config = path.with_name(f"config-{image.release}")
    try:
        text = config.read_text(errors="replace")
    except OSError as error:
        raise Refused(
            _("the configuration of kernel {release} is missing ({config})").format(release=image.release, config=config),
            hint=_("reinstall the kernel's package"), ident="HIB-E-BUILD-CONFIG",
        ) from error  # fmt: skip
    stock = Stock(path, image.release, found[1], text, _modules(path.absolute().parent.parent, image.release))
    if stock.config.get("KEXEC_JUMP") == "y":
        raise Refused(
            _("kernel {release} can jump already").format(release=image.release),
            hint=_("run `khib check`"),
            ident="HIB-E-BUILD-HAS-IT",
        )
    return stock


def _modules(root: Path, release: str) -> Path:
    places = [root / place / release for place in _PLACES]
    return next((place for place in places if place.is_dir()), places[0])
