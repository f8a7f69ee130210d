"""Types of the lab's kernel for debuggers: one object of its source, built with debug information.

The kernel itself has none, which would cost minutes and gigabytes; its symbols come from its own kallsyms.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.lab.build.cache import entry
from khib_tui.lab.build.kernel import guest_kernel, newest_source, source_key
from khib_tui.runner import run

OBJECT = "init/init_task.o"  # has struct task_struct, and with it all that a task refers to


def kernel_types(sink: Sink, source: Path | None = None) -> Path:
    """Return an object file with the types of the lab's kernel in its DWARF, building it first if it is not in the cache.

    :param source: as for `guest_kernel`, which is built too if need be.
    :raises CommandFailed: there is no source, or it cannot be built.
    """
    source = source or newest_source()
    config = guest_kernel(sink, source).config
    made = entry(
        f"kernel-types-{source_key(source)}",
        lambda work: _build(sink, source, config, work),
        lambda: sink(Message("waiting for another khib that is building the kernel's types")),
    )
    return made / "types.o"


def _build(sink: Sink, source: Path, config: Path, work: Path) -> None:
    sink(Stage(StageName.LAB_KERNEL, Status.STARTED, "building the kernel's types, once, about a minute"))
    tree = work / "tree"
    tree.mkdir()
    run(["tar", "--extract", "--file", source.resolve(), "--directory", tree, "--strip-components=1"])
    shutil.copyfile(config, tree / ".config")
    run(["make", "olddefconfig"], cwd=tree)
    run(["make", f"-j{os.cpu_count() or 1}", OBJECT, "KCFLAGS=-g"], cwd=tree)
    shutil.copyfile(tree / OBJECT, work / "types.o")
    shutil.rmtree(tree)
    sink(Stage(StageName.LAB_KERNEL, Status.DONE, "types"))
