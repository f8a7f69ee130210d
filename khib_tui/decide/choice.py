"""From facts and choices to one decision: kernel, region, target. Pure: nothing is touched."""

from __future__ import annotations

from msgspec import Struct

from khib_tui.decide import (
    bootloader,
    checks,
    fitplaces,
    guard,
    landing,
    leaving,
    nextboot,
    ownplace,
    region,
    room,
    screen,
    swapplace,
)
from khib_tui.decide.findings import refuse
from khib_tui.decide.kernel import unfit_as_saver
from khib_tui.decide.region import Region
from khib_tui.decide.target import doubts, filesystem, refusals, without_driver
from khib_tui.errors import KhibError, Refused
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.boot import Loader
from khib_tui.model.machine import KernelFile, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.model.units import size


class Choice(Struct, frozen=True):
    """What was decided for this machine: kernel, region and target, and what is to be known about it.

    `sealed` says whether images are sealed: what B writes, and what alone C takes.
    """

    machine: Machine
    settings: Settings
    kernel: KernelFile
    region: Region
    target: Target | None
    findings: tuple[Finding, ...]
    loader: Loader
    sealed: bool = False

    @property
    def words(self) -> list[str]:
        """The memory words of C's command line."""
        return region.memmap_words(self.machine, self.region)


def image_limit(chosen: Region) -> int:
    """Return the bytes that an image can have at most: all saved memory, uncompressed, and what stands around it."""
    return room.image_bytes(chosen.saved.total)


def choose_kernel(machine: Machine, settings: Settings) -> KernelFile:
    """Take the kernel that was chosen, or the first that is fit.

    :raises Refused: there is none.
    """
    if settings.kernel:
        for kernel in machine.kernels:
            if kernel.path == settings.kernel:
                if reasons := unfit_as_saver(kernel):
                    raise Refused(
                        _("kernel {release} cannot save: {reasons}").format(release=kernel.release, reasons=reasons[0]),
                        ident="HIB-E-NO-KERNEL",
                    )
                return kernel
        raise Refused(
            _("{kernel} is gone, or not a kernel that can be read").format(kernel=settings.kernel),
            ident="HIB-E-NO-KERNEL",
            hint=_("run the wizard again, or give --kernel, to choose another"),
        )
    fit = [kernel for kernel in machine.kernels if not unfit_as_saver(kernel)]
    same = [kernel for kernel in fit if kernel.release == machine.release]
    if not fit:
        raise Refused(_("no kernel can save and restore"), hint=_("see `khib check`"), ident="HIB-E-NO-KERNEL")
    return (same or fit)[0]


def judge(machine: Machine, settings: Settings) -> list[Finding]:
    """Judge a machine and the region that these choices give it; findings in order, `ok` ones included."""
    return [
        *checks.check(machine), *_region_findings(machine, settings), bootloader.finding(machine, settings),
        *_end_findings(machine, settings), *_start_findings(machine, settings),
    ]  # fmt: skip


def _end_findings(machine: Machine, settings: Settings) -> list[Finding]:
    """Judge whether the machine can be left as chosen; other checks tell if there is no kernel."""
    try:
        return leaving.judge(machine, settings, choose_kernel(machine, settings))
    except Refused:
        return []


def _start_findings(machine: Machine, settings: Settings) -> list[Finding]:
    """Judge whether the restorer starts by itself, and whether a normal start would be guarded, once there is a target."""
    try:
        target = targets.resolved(targets.parse(settings.target), machine.devices)
        loader = bootloader.choose(machine, settings)
    except KhibError:
        return []
    if not machine.device(target.device):
        return []
    lent = [swapplace.deed(machine, target)] if target.swap else []
    return [*lent, nextboot.finding(machine, loader, target), guard.judge(machine, target)]


def _region_findings(machine: Machine, settings: Settings) -> list[Finding]:
    """Judge the region as far as there is a memory map and a kernel; other checks tell if there is none."""
    if not region.system_ram(machine.iomem):
        return []
    try:
        kernel = choose_kernel(machine, settings)
    except Refused:
        return []
    try:
        chosen = region.choose(machine, kernel, settings.region)
    except Refused as error:
        why = _("saver and restorer need memory of their own")
        return [Finding(error.ident, Severity.BLOCKER, error.message, why, error.hint or "")]
    what = _("saver and restorer fit into {size} of memory").format(size=size(chosen.own.total))
    where = landing.judge(machine, kernel, chosen)
    places = [] if settings.target else [fitplaces.finding(machine, image_limit(chosen))]
    return [
        Finding("HIB-E-REGION-HOLE", Severity.OK, what),
        where,
        *region.warnings(machine, chosen),
        *screen.finding(machine, kernel, chosen),
        *places,
    ]


def decide(
    machine: Machine, settings: Settings, *, sealed: bool = False, need_target: bool = True, need_memory: bool = True
) -> Choice:
    """Decide everything, or refuse with the first reason.

    :param sealed: whether this machine has a seal.
    :param need_target: a plain rehearsal writes nothing and needs none.
    :raises Refused: a check, the region or the target says no.
    """
    findings = checks.check(machine)
    refuse(findings)
    kernel = choose_kernel(machine, settings)
    chosen = region.choose(machine, kernel, settings.region)
    if need_memory:
        region.refuse_without_memory(chosen, machine.mem_available)
    end = leaving.judge(machine, settings, kernel)
    refuse(end)
    target = None
    if need_target:
        if not settings.target:
            raise Refused(
                _("no target for the image was chosen"), hint=_("run `khib`, or give --target"), ident="HIB-E-NO-TARGET"
            )
        target = targets.resolved(targets.parse(settings.target), machine.devices)
        found = refusals(machine, target, image_limit(chosen))
        found += ownplace.unsealed(machine, target) if target.beneath and not sealed else []
        found += swapplace.pressing(machine, target, chosen.needed_memory) if target.swap and need_memory else []
        refuse([*found, *without_driver(kernel, filesystem(machine, settings))])
        narrow = room.tight(machine, target, image_limit(chosen))
        narrow += [swapplace.deed(machine, target)] if target.swap else []
        findings = [*findings, *found, *doubts(machine, target), *narrow, guard.judge(machine, target)]
    loader = bootloader.choose(machine, settings)
    next_boot = [nextboot.finding(machine, loader, target)] if target else []
    shown = screen.finding(machine, kernel, chosen)
    findings = [*findings, *region.warnings(machine, chosen), *shown, *end, *next_boot]
    settings = bootloader.placed(settings, loader)
    return Choice(machine, settings, kernel, chosen, target, tuple(findings), loader, sealed)
