"""What each command does, as a function of its arguments and a sink for events."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import msgspec

from khib_tui import present
from khib_tui.decide import checks
from khib_tui.decide.choice import Choice, decide
from khib_tui.decide.findings import blockers
from khib_tui.errors import Cancelled, Exit, ImageError
from khib_tui.events.types import Message, Result, Sink
from khib_tui.facts import probe
from khib_tui.handover.handover import Mode
from khib_tui.image import verify
from khib_tui.linux import printk
from khib_tui.model import machine, settings
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.units import parse_size, size
from khib_tui.plan import build
from khib_tui.plan.execute import execute
from khib_tui.plan.outcome import arrived
from khib_tui.plan.step import Action, Run
from khib_tui.seal import file as sealfile


def machine_of(arguments: Namespace) -> Machine:
    """Give the facts: of this machine, or those in a file."""
    return machine.load(arguments.facts) if arguments.facts else probe.probe()


def settings_of(arguments: Namespace) -> Settings:
    """Give the kept choices with those of the command line on top."""
    kept = settings.load(arguments.settings)
    given: dict[str, Any] = {
        "kernel": getattr(arguments, "kernel", None),
        "target": getattr(arguments, "target", None),
        "verify": getattr(arguments, "verify", None),
        "plain": arguments.plain or None,
    }
    if getattr(arguments, "region", None):
        given["region"] = parse_size(arguments.region)
    if getattr(arguments, "codec", None):
        given["codec"] = CodecChoice(arguments.codec)
    if getattr(arguments, "after", None):
        given["after"] = After(arguments.after)
    return msgspec.structs.replace(kept, **{key: value for key, value in given.items() if value is not None})


def wizard(arguments: Namespace, sink: Sink) -> int:
    """Start the wizard; without a terminal, say how to go on."""
    if not present.use_screens(arguments):
        sink(Message("the wizard needs a terminal; see `khib --help` for commands that need none"))
        return status(arguments, sink)
    with printk.kernel_quiet():
        here, kept = machine_of(arguments), settings_of(arguments)
        return present.wizard(here, kept, arguments.settings, lambda: machine_of(arguments))


def check(arguments: Namespace, sink: Sink) -> int:
    """Tell whether this machine can hibernate."""
    findings = checks.check(machine_of(arguments))
    for finding in findings:
        sink(finding)
    blocked = len(blockers(findings))
    text = f"{blocked} of {len(findings)} checks refuse" if blocked else "this machine can hibernate"
    sink(Result("check", not blocked, text))
    return Exit.REFUSED if blocked else Exit.OK


def facts(arguments: Namespace, sink: Sink) -> int:
    """Print the facts as JSON."""
    print(machine.dump(machine_of(arguments)).decode(), end="")
    return Exit.OK


def show_plan(choice: Choice, actions: list[Action], sink: Sink) -> None:
    """Print steps without applying them."""
    for step in build.describe(actions):
        sink(step)


def make_plan(arguments: Namespace, sink: Sink) -> int:
    """Show what would be done."""
    choice = decide(machine_of(arguments), settings_of(arguments), need_memory=False)
    sealed = sealfile.load(sealfile.path_beside(arguments.settings)) is not None
    region = choice.region
    sink(Message(f"kernel of saver and restorer: {choice.kernel.release} ({choice.kernel.path})"))
    sink(Message(f"their memory: {size(region.own.total)} of {size(region.ram.total)}"))
    sink(Message(f"to be saved: {size(region.saved.total)} at most, to {choice.target}"))
    sink(Message("memory words of the restorer: " + " ".join(choice.words)))
    show_plan(choice, build.journey(choice, Mode.SAVE, sealed), sink)
    data = {
        "kernel": choice.kernel.path, "region": region.own.spans, "saved_bytes": region.saved.total,
        "target": str(choice.target), "words": choice.words, "sealed": sealed,
    }  # fmt: skip
    sink(Result("plan", True, "", data))
    return Exit.OK


def setup(arguments: Namespace, sink: Sink) -> int:
    """Install saver and boot entry, and keep the choices."""
    choice = decide(machine_of(arguments), settings_of(arguments), need_memory=False)
    sealed = sealfile.load(sealfile.path_beside(arguments.settings)) is not None
    actions = build.setup(choice, arguments.settings, sealed)
    if arguments.dry_run:
        show_plan(choice, actions, sink)
        return Exit.OK
    execute(actions, Run(sink, choice.machine), sink)
    sink(Result("setup", True, "ready: try `khib rehearse`, then `khib hibernate`"))
    return Exit.OK


def rehearse(arguments: Namespace, sink: Sink) -> int:
    """Jump into B and back."""
    return travel(arguments, sink, Mode.REHEARSE_SAVE if arguments.save else Mode.REHEARSE)


def hibernate(arguments: Namespace, sink: Sink) -> int:
    """Save the running system, power off, and report after the resume."""
    return travel(arguments, sink, Mode.SAVE)


def travel(arguments: Namespace, sink: Sink, mode: Mode) -> int:
    """Decide, open the seal if there is one, and apply the steps of a journey."""
    from khib_tui.seal.unlock import opened

    choice = decide(machine_of(arguments), settings_of(arguments), need_target=mode is not Mode.REHEARSE)
    seal = sealfile.load(sealfile.path_beside(arguments.settings)) if mode is not Mode.REHEARSE else None
    if mode is not Mode.REHEARSE and seal is None:
        sink(sealfile.UNSEALED)
    actions = build.journey(choice, mode, seal is not None)
    if arguments.dry_run:
        show_plan(choice, actions, sink)
        return Exit.OK
    run = Run(sink, choice.machine, opened(seal, arguments.key_file))
    execute(actions, run, sink)
    return arrived(run, sink, mode)


def status(arguments: Namespace, sink: Sink) -> int:
    """Tell what is set up, loaded and saved."""
    from khib_tui.target import catalog

    here = machine_of(arguments)
    kept = settings_of(arguments)
    ready = kept.boot_entry.exists() and kept.initramfs.exists()
    sink(Message(f"set up: {'yes' if ready else 'no, run khib'}"))
    sink(Message(f"target: {kept.target or 'not chosen'}"))
    sealed = sealfile.path_beside(arguments.settings).exists()
    sink(Message(f"images are sealed: {'yes' if sealed else 'no, run khib seal'}"))
    sink(Message(f"a jump is loaded: {'yes' if here.kexec_loaded else 'no'}"))
    images = catalog.images(here)
    for item in images:
        sink(Message(catalog.line(item)))
    listed = [catalog.facts(item) for item in images]
    data = {"ready": ready, "target": kept.target, "loaded": here.kexec_loaded, "sealed": sealed, "images": listed}
    sink(Result("status", True, "" if images else "no image", data))
    return Exit.OK


def image_list(arguments: Namespace, sink: Sink) -> int:
    """List all images."""
    from khib_tui.target import catalog

    images = catalog.images(machine_of(arguments), file_target(arguments))
    for item in images:
        sink(Message(catalog.line(item)))
    text = "" if images else "no image on any disk"
    sink(Result("image list", True, text, {"images": [catalog.facts(item) for item in images]}))
    return Exit.OK


def file_target(arguments: Namespace) -> str:
    """Give the settings' target, which may be a file that no search finds."""
    return settings.load(arguments.settings).target


def image_info(arguments: Namespace, sink: Sink) -> int:
    """Show what an image holds."""
    from khib_tui.seal.unlock import info_sealer
    from khib_tui.target import catalog

    with catalog.chosen(machine_of(arguments), arguments.image, file_target(arguments)) as (item, store):
        seal = item.header.seal if item.header.manifest_size else None
        data = catalog.info(item, store, info_sealer(seal, item.header.image_id, arguments.key_file))
    for key, value in data.items():
        sink(Message(f"{key:>16}: {value}"))
    sink(Result("image info", True, "", data))
    return Exit.OK


def image_verify(arguments: Namespace, sink: Sink) -> int:
    """Check every byte of an image."""
    from khib_tui.events.progress import Stop
    from khib_tui.image import header
    from khib_tui.seal.unlock import image_sealer
    from khib_tui.target import catalog

    with catalog.chosen(machine_of(arguments), arguments.image, file_target(arguments)) as (item, store):
        if not item.header.manifest_size:
            raise ImageError(f"the image on {item.where} is {item.header.state}: there is nothing to verify")
        header.refuse_damage(store)
        sealer = image_sealer(item.header.seal, item.header.image_id, arguments.key_file)
        manifest = verify.verify(store, item.header, sink, Stop(), sealer)
    sink(Result("image verify", True, f"the image on {item.where} is sound: {size(manifest.saved_ranges.total)} of memory"))
    return Exit.OK


def image_export(arguments: Namespace, sink: Sink) -> int:
    """Write an image's memory as files for other tools."""
    from khib_tui.image.export import write

    written = write.run(arguments, lambda: machine_of(arguments), file_target(arguments), sink)
    sink(Result("image export", True, "exported", {"bytes": written}))
    return Exit.OK


def image_discard(arguments: Namespace, sink: Sink) -> int:
    """Give an image up."""
    from khib_tui.target import catalog

    with catalog.chosen(machine_of(arguments), arguments.image, file_target(arguments)) as (item, store):
        if not arguments.yes:
            confirm(f"Give up {catalog.line(item)}? The session in it is lost. Type yes: ")
        catalog.discard(item, store)
    sink(Result("image discard", True, f"the image on {item.where} will never be resumed"))
    return Exit.OK


def confirm(question: str) -> None:
    """Ask for a typed yes.

    :raises Cancelled: anything else was typed, or nobody can type.
    """
    try:
        answer = input(question)
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        raise Cancelled("nothing was changed", hint="give --yes where nobody can type", ident="HIB-E-CANCELLED")


def lab(arguments: Namespace, sink: Sink) -> int:
    """Give the guest's console, with the wizard."""
    from khib_tui.lab.console import interactive

    return interactive(arguments, sink)


def lab_demo(arguments: Namespace, sink: Sink) -> int:
    """Play whole cycles."""
    from khib_tui.lab.demo import demo

    return demo(arguments, sink)


def lab_kernel(arguments: Namespace, sink: Sink) -> int:
    """Build the guest kernel."""
    from khib_tui.lab.kernel import guest_kernel

    kernel = guest_kernel(sink, arguments.linux_source)
    sink(Result("lab kernel", True, f"{kernel.release}: {kernel.bzimage}", {"bzimage": str(kernel.bzimage)}))
    return Exit.OK
