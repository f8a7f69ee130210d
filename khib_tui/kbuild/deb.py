"""The package of a kernel whose modules are those of the distribution's own: what is in it, and how it is made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from khib_tui import files, runner
from khib_tui.kbuild.work import Work

SCRIPT_MODE = 0o755
_LISTS = ("modules.order", "modules.builtin", "modules.builtin.modinfo")

_CONTROL = """\
Package: linux-image-{ours}
Version: {version}+khib1
Architecture: amd64
Section: kernel
Priority: optional
Maintainer: the administrator of this machine <root@localhost>
Depends: linux-image-{release} (= {version}) | linux-image-{release}-unsigned (= {version}), kmod, linux-base
Description: Linux {release} that can jump (CONFIG_KEXEC_JUMP), for khib
 Debian's kernel {release}, built from the source of its version {version}
 with CONFIG_KEXEC_JUMP on. It uses the modules of the package that it needs,
 and is installed beside it.
"""

_COPYRIGHT = """\
The Linux kernel, GPL-2.0: see the copyright file of linux-image-{release}.
Built from {package} {version} by `khib kernels build`.
Settings that differ:
{settings}
"""

# The hooks of /etc/kernel make the initramfs and the boot entry, as for each kernel of the distribution.
_HOOKS = """\
#!/bin/sh
set -e
export DEB_MAINT_PARAMS="$*" INITRD=Yes
{before}for folder in /etc/kernel/{stage}.d /usr/share/kernel/{stage}.d; do
    [ ! -d "$folder" ] || run-parts --arg={ours} --arg=/boot/vmlinuz-{ours} "$folder"
done
{after}exit 0
"""
_INDEX = """\
modules=/lib/modules/{ours}
[ ! -d /lib/modules/{release}/updates ] || ln -sfn ../{release}/updates "$modules/updates"
depmod {ours}
"""
_CLEAN = """\
case "$1" in remove | purge)
    rm -f /lib/modules/{ours}/modules.* /lib/modules/{ours}/updates
    rmdir /lib/modules/{ours} 2>/dev/null || true ;;
esac
"""


def name(work: Work) -> str:
    """Return the name of the package's file."""
    return f"linux-image-{work.stock.ours}_{work.stock.version}+khib1_amd64.deb"


def stage(work: Work, settings: list[str]) -> None:
    """Put the files of the package together.

    :param settings: what differs from the distribution's configuration, a line each.
    """
    shutil.rmtree(work.stage, ignore_errors=True)
    for path, data, mode in _content(work, settings):
        files.write(work.stage / path, data, mode)
    folder = work.stage / _modules(work)
    files.folder(folder)
    for list_name in _LISTS:
        if (work.stock.modules / list_name).is_file():
            files.write(folder / list_name, (work.stock.modules / list_name).read_bytes(), files.PUBLIC)
    (folder / "kernel").symlink_to(f"../{work.stock.release}/kernel")


def pack(work: Work) -> Path:
    """Make the package of what was put together; it appears when it is whole."""
    package = work.folder / name(work)
    part = files.partial(package)
    runner.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", work.stage, part])
    part.rename(package)
    shutil.rmtree(work.stage)
    return package


def built(work: Work) -> list[Path]:
    """Return the packages that are there."""
    if not work.whole:
        return [path] if (path := work.folder / name(work)).is_file() else []
    return sorted(path for path in work.folder.glob("*.deb") if "-libc-dev" not in path.name and "-dbg_" not in path.name)


def _content(work: Work, settings: list[str]) -> Iterator[tuple[str, bytes, int]]:
    stock, tree = work.stock, work.tree
    words = {"ours": stock.ours, "release": stock.release, "version": stock.version, "package": stock.package}
    yield f"boot/vmlinuz-{stock.ours}", (tree / "arch/x86/boot/bzImage").read_bytes(), files.PUBLIC
    yield f"boot/config-{stock.ours}", (tree / ".config").read_bytes(), files.PUBLIC
    yield f"boot/System.map-{stock.ours}", (tree / "System.map").read_bytes(), files.PUBLIC
    yield "DEBIAN/control", _CONTROL.format(**words).encode(), files.PUBLIC
    copyright_ = _COPYRIGHT.format(**words, settings="\n".join(settings))
    yield f"usr/share/doc/linux-image-{stock.ours}/copyright", copyright_.encode(), files.PUBLIC
    for script, before, after in (("preinst", "", ""), ("postinst", _INDEX, ""), ("prerm", "", ""), ("postrm", "", _CLEAN)):
        text = _HOOKS.format(stage=script, before=before.format(**words), after=after.format(**words), **words)
        yield f"DEBIAN/{script}", text.encode(), SCRIPT_MODE


def _modules(work: Work) -> str:
    return f"usr/lib/modules/{work.stock.ours}"
