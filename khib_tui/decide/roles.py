"""What each kernel of a machine can be: A, B or C; why not, and what is not known."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from khib_tui.decide.kernel import A_OPTIONS, OLDEST_TEXT, too_old, unfit_as_saver
from khib_tui.i18n import N_, _
from khib_tui.model.machine import KernelFile


class Fit(StrEnum):
    """An answer."""

    YES = N_("yes")
    NO = N_("no")
    UNKNOWN = N_("unknown")


class Role(msgspec.Struct, frozen=True):
    """Whether a kernel can be `name` (A, B or C), and why not or why nobody knows."""

    name: str
    fit: Fit
    reasons: tuple[str, ...] = ()


NOT_KNOWN = N_("its configuration is not known")


def roles(kernel: KernelFile, *, uefi: bool, doubts: tuple[str, ...] = ()) -> list[Role]:
    """Judge a kernel in each role.

    :param uefi: C is started by UEFI, so it needs its stub.
    :param doubts: what is missing on this machine for B and C, such as a driver.
    """
    saver = unfit_as_saver(kernel)
    stub = uefi and bool(kernel.config) and kernel.config.get("EFI_STUB") != "y"
    restorer = [*saver, *([_("it cannot be started by UEFI (CONFIG_EFI_STUB)")] if stub else [])]
    return [
        _role("A", kernel, _unfit_as_a(kernel), ()), _role("B", kernel, saver, doubts), _role("C", kernel, restorer, doubts),
    ]  # fmt: skip


def _unfit_as_a(kernel: KernelFile) -> list[str]:
    old = [_("it is older than Linux {oldest}").format(oldest=OLDEST_TEXT)] if too_old(kernel.release) else []
    lacking = [name for name in A_OPTIONS if kernel.config and kernel.config.get(name) != "y"]
    return [*old, *(f"{_(A_OPTIONS[name])} (CONFIG_{name})" for name in lacking)]


def _role(name: str, kernel: KernelFile, reasons: list[str], doubts: tuple[str, ...]) -> Role:
    if reasons:
        return Role(name, Fit.NO, tuple(reasons))
    if not kernel.config:
        return Role(name, Fit.UNKNOWN, (_(NOT_KNOWN), *doubts))
    return Role(name, Fit.YES, doubts)
