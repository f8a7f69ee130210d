"""Exports of a real kernel's memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui import runner
from khib_tui.cli import main
from khib_tui.errors import Exit
from khib_tui.events.types import Event
from khib_tui.model.units import MIB


def tasks(dump: Path, types: Path) -> list[tuple[int, str]]:
    """List the processes and kernel threads in a dump with drgn: symbols from kallsyms, types from one object."""
    import drgn
    from drgn.helpers.linux.kallsyms import load_vmlinux_kallsyms
    from drgn.helpers.linux.list import list_for_each_entry

    program = drgn.Program()
    program.set_core_dump(str(dump))
    program.register_symbol_finder("kallsyms", load_vmlinux_kallsyms(program), enable_index=0)
    program.extra_module("types", create=True).try_file(str(types), force=True)
    first = drgn.Object(program, "struct task_struct", address=program.symbol("init_task").address)
    found = list_for_each_entry("struct task_struct", first.tasks.address_of_(), "tasks")
    return [(task.pid.value_(), task.comm.string_().decode()) for task in found]


@pytest.mark.lab
@pytest.mark.parametrize("memmap", [None, pytest.param("", marks=pytest.mark.long)])
def test_a_hibernated_machine_is_debugged_and_restored_from_its_exports(tmp_path: Path, memmap: str | None) -> None:
    from argparse import Namespace

    from khib_tui.events.types import Failure, Message, Result
    from khib_tui.lab import disks
    from khib_tui.lab.build.debuginfo import kernel_types
    from khib_tui.lab.cycle import Session
    from khib_tui.lab.setup import prepare

    given = Namespace(memory=768, cpus=2, firmware="bios", linux_source=None, codec=None)
    session = Session(prepare(given, tmp_path, print), print)
    try:
        session.boot_a()
        session.ask("fill", percent=20, shadow=256 * MIB)
        session.ask("remember", deep=False)
        script = "for task in /proc/[0-9]*; do echo ${task#/proc/} $(cat $task/comm 2>/dev/null); done"
        lines = session.program("sh", "-c", script).splitlines()
        # one that ended meanwhile has no name
        names = {int(pid): name for pid, name in (line.split(None, 1) for line in lines if " " in line.strip())}
        session.hibernate()
        target = session.lab.hardware.disks[1]
        place = disks.partitions(target)[0]
        with target.open("r+b") as stream:
            stream.seek(place.start)
            (tmp_path / "image").write_bytes(stream.read(place.size))
        elf, dump = tmp_path / "elf", tmp_path / "kdump"
        assert main(["image", "export", "--elf", str(elf), "--kdump", str(dump), str(tmp_path / "image")]) == Exit.OK
        types = kernel_types(print)
        for path in (elf, dump):
            seen = dict(tasks(path, types))
            assert seen[1] and seen[2] == "kthreadd" and len(seen) > 20
            both = names.keys() & seen.keys()
            # /proc has the long name of a kernel thread and what a worker works on; `comm` is cut to 15 characters
            assert len(both) > 20 and all(names[pid].startswith(seen[pid]) for pid in both), (names, seen)
            runner.run(["makedumpfile", "-d", "17", path, path.with_suffix(".filtered")])
        with target.open("r+b") as stream:
            stream.seek(place.start)
            stream.write(elf.read_bytes())
        # without memory words it is put elsewhere, and moves
        session.boot(session.lab.boot_c(memmap=memmap))
        told: list[Event] = []
        for event in session.until_exit():
            if isinstance(event, Event):
                told.append(event)
            if isinstance(event, Failure) and event.ident == "HIB-E-NO-IMAGE":
                session.running.type(b"\nkhib restore --vmcore /dev/vdb1 --dry-run && khib restore --vmcore /dev/vdb1 --yes\n")
        results = [event for event in told if isinstance(event, Result)]
        assert len(results) == 2 and all(event.ok for event in results), told
        texts = [event.text for event in told if isinstance(event, Message)]
        moved = [[text for text in texts if word in text] for word in ("would move into", "it moves into")]
        assert [len(told) for told in moved] == ([0, 0] if memmap is None else [1, 1])
        assert session.ask("check", deep=False)["intact"]
        clean, text = session.power_off()
        assert clean, text
    finally:
        session.end()
