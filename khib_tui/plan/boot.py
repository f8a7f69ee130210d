"""C's boot entry."""

from __future__ import annotations

from dataclasses import dataclass

from khib_tui import files
from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.entry import restore_entry
from khib_tui.decide.choice import Choice
from khib_tui.model import target as targets
from khib_tui.plan.install import saver_kernel
from khib_tui.plan.step import Context


@dataclass(frozen=True)
class WriteBootEntry:
    """Write C's boot entry, with the exact memory words; if images are sealed, C takes no others."""

    choice: Choice

    def describe(self) -> str:
        """Return where the entry goes, and what memory it gives C."""
        return f"write boot entry {self.choice.settings.boot_entry}: {self.entry().options}"

    def entry(self) -> BootEntry:
        """Make the entry."""
        choice, target = self.choice, self.choice.target
        image = targets.word(target, choice.machine) if target and target.kind == "file" else ""
        kernel = saver_kernel(choice.settings)
        return restore_entry(choice.machine.cmdline, choice.settings, choice.words, image, kernel, sealed=choice.sealed)

    def apply(self, context: Context) -> None:
        """Write it unless it is the same already."""
        path, text = self.choice.settings.boot_entry, self.entry().text()
        if path.exists() and path.read_text() == text:
            return
        files.write(path, text.encode(), files.PUBLIC)
        context.changed = True
