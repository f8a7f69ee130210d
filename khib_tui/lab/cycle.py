"""Driving the machine through hibernations, as seen from the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from khib_tui.errors import KhibError
from khib_tui.events.types import Event, Failure, Level, Message, Progress, Result, Sink, Stage, StageName, Status, Step
from khib_tui.lab import disks
from khib_tui.lab.hardware import Boot
from khib_tui.lab.setup import Lab
from khib_tui.lab.vm import Vm, start

SETTINGS = "/opt/khib/khib.toml"
DEMO_WORDS = "khib.lab=demo"


class LabError(KhibError):
    """The lab machine did something it should not have."""


@dataclass
class Session:
    """One uptime of A, over as many QEMU processes as it takes; `passphrase` is typed when C asks for it."""

    lab: Lab
    sink: Sink
    vm: Vm | None = None
    disks_identical: bool = True
    target_partition: int = 0
    digests: list[str] = field(default_factory=list)
    settings: str = SETTINGS
    passphrase: str = ""

    def tell_nudges(self) -> None:
        """Say where the machine stood each time that only a nudge made it go on, and which."""
        for where in self.vm.nudges if self.vm else ():
            self.sink(Message(f"a silent machine went on after it was nudged: {where}", Level.WARNING))

    def boot(self, boot: Boot) -> Vm:
        """Switch the machine on."""
        self.tell_nudges()
        self.vm = start(self.lab.hardware, boot, self.lab.directory / "console.log")
        return self.vm

    @property
    def running(self) -> Vm:
        """The machine that is on."""
        assert self.vm is not None
        return self.vm

    def boot_a(self, words: str = "") -> None:
        """Boot A and wait for its agent."""
        self.sink(Stage(StageName.BOOT, Status.STARTED))
        self.boot(self.lab.boot_a(f"{DEMO_WORDS} {words}"))
        self.until_ready()

    def until_ready(self) -> None:
        """Wait for A's agent."""
        for event in self.running.events():
            if isinstance(event, dict) and event.get("agent") == "ready":
                self.sink(Stage(StageName.BOOT, Status.DONE, seconds=self.running.seconds))
                return
        raise self.lost("A did not start")

    def lost(self, text: str) -> LabError:
        """Say what went wrong, and where to look."""
        log = self.lab.directory / "console.log"
        tail = log.read_bytes()[-2000:].decode("latin-1", "replace") if log.exists() else ""
        for line in ("the console's last lines:", *tail.splitlines()):
            self.sink(Message(line, Level.ERROR))
        return LabError(text, hint="--keep DIR keeps disks and logs", ident="HIB-E-LAB")

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """Ask the workload something."""
        self.running.tell(do=do, **values)
        for event in self.running.events():
            if isinstance(event, dict) and "answer" in event:
                answer: dict[str, Any] = event["answer"]
                return answer
            self.pass_on(event)
        raise self.lost(f"the machine ended while doing {do}")

    def pass_on(self, event: Event | dict[str, Any]) -> None:
        """Show an event of the guest."""
        if isinstance(event, Event) and not isinstance(event, Result):
            self.sink(event)

    def command(self, *words: str) -> None:
        """Start a command in A, without waiting for it."""
        self.running.tell(do="run", argv=["khib", *words, "--json", "--settings", self.settings])

    def until_exit(self, timeout: float = 240) -> Iterator[Event | dict[str, Any]]:
        """Yield events until the command ends; the last is a dictionary with `exit`, absent if the machine powers off."""
        for event in self.running.events(timeout):
            yield event
            if isinstance(event, dict) and "exit" in event:
                return

    def run(self, *words: str, timeout: float = 240) -> tuple[int, list[Event]]:
        """Run a command in A to its end, which must come without power-off.

        :param timeout: seconds that it may be silent for.
        """
        self.command(*words)
        seen: list[Event] = []
        for event in self.until_exit(timeout):
            if isinstance(event, dict):
                if "exit" in event:
                    return int(event["exit"]), seen
                continue
            seen.append(event)
            self.pass_on(event)
        raise self.lost(f"the machine ended during {' '.join(words)}")

    def program(self, *argv: str, timeout: float = 240) -> str:
        """Run any program in A; return what it printed.

        :param timeout: seconds that it may be silent for.
        :raises LabError: it failed.
        """
        self.running.tell(do="program", argv=list(argv))
        for event in self.running.events(timeout):
            if isinstance(event, dict) and "output" in event:
                if event["code"]:
                    raise LabError(f"{' '.join(argv)}: {event['output']}", ident="HIB-E-LAB")
                return str(event["output"])
        raise self.lost(f"the machine ended during {argv[0]}")

    def read(self, path: str) -> str:
        """Read a file of A."""
        return self.program("cat", path)

    def exists(self, path: str) -> bool:
        """Return whether A has a file."""
        return self.program("sh", "-c", f"test -e '{path}' && echo yes || echo no").strip() == "yes"

    def digest(self) -> None:
        """Note what A's disks hold, with the machine held still."""
        with self.running.paused():
            self.note_disks()

    def note_disks(self) -> None:
        """Note what A's disks hold: all of them, without the partition of the image."""
        watched = self.lab.watched(self.target_partition)
        self.digests.append(" ".join(disks.digest(path, without) for path, without in watched))

    def note_anew(self) -> None:
        """Note the disks of a machine that is off, and whose disks were changed from outside."""
        self.digests.clear()
        self.note_disks()

    def hibernate(self, *words: str) -> float:
        """Hibernate A up to the power-off; gives the seconds.

        :raises LabError: A came back instead, or never powered off.
        """
        return self.until_off(lambda: self.command("hibernate", *words))

    def until_off(self, begin: Callable[[], None]) -> float:
        """Begin a hibernation and wait for the power-off; gives the seconds.

        :raises LabError: as `hibernate` says.
        """
        self.digests.clear()
        began = self.running.seconds
        begin()
        away = False
        for event in self.until_exit():
            self.pass_on(event)
            if isinstance(event, dict) and "exit" in event:
                raise self.lost(f"hibernate ended with code {event['exit']} instead of power-off: {self.reason()}")
            if not away and in_saver(event):
                away = True
                self.digest()
        self.running.wait()
        seconds = self.running.seconds - began
        self.running.close()
        return seconds

    def cancel(self, *words: str) -> int:
        """Hibernate, and press Esc while it saves; gives the exit code.

        :raises LabError: the machine powered off instead.
        """
        self.command("hibernate", *words)
        for event in self.until_exit():
            self.pass_on(event)
            if isinstance(event, Progress) and event.stage == StageName.SAVE:
                self.running.type(b"\x1b")
            if isinstance(event, dict) and "exit" in event:
                return int(event["exit"])
        raise self.lost("a cancelled hibernation ended with power-off")

    def reason(self) -> str:
        """The last failure that the guest told."""
        failures = [event.message for event in self.running.seen if isinstance(event, Failure)]
        return failures[-1] if failures else "no reason given"

    def resume(self, boot: Boot | None = None, *, repair: str = "") -> tuple[float, Result]:
        """Boot C, up to A's own word that it is back; gives the seconds and that word.

        :param repair: what is typed into C's shell after a first refusal.
        :raises LabError: C refused, or A did not come back.
        """
        self.note_disks()
        self.boot(boot or self.lab.boot_c())
        seconds = 0.0
        result: Result | None = None
        for event in self.until_exit():
            self.pass_on(event)
            if isinstance(event, Stage) and event.stage == StageName.RESTORE and event.status == Status.DONE:
                self.digest()
            if asks_passphrase(event):
                self.running.type(f"{self.passphrase}\n".encode())
            if isinstance(event, Failure):
                if not repair:
                    raise LabError(event.message, hint=event.hint, ident=event.ident)
                self.running.type(f"{repair}\n".encode())
                repair = ""
            if not seconds and from_a(event):
                seconds = self.running.seconds
            if isinstance(event, Result):
                result = event
        if result is None or not result.ok:
            raise self.lost(f"A did not come back: {self.reason()}")
        self.disks_identical &= len(set(self.digests)) == 1
        return seconds, result

    def refused(self, boot: Boot) -> Failure:
        """Boot C where it must refuse; gives the refusal, and pulls the plug.

        :raises LabError: it did not refuse.
        """
        self.boot(boot)
        try:
            for event in self.running.events():
                self.pass_on(event)
                if isinstance(event, Failure):
                    return event
                if isinstance(event, Result) or (isinstance(event, dict) and "exit" in event):
                    raise LabError("C resumed an image that it must refuse", ident="HIB-E-LAB")
        finally:
            self.running.kill()
        raise self.lost("C did not say why it refuses")

    def power_off(self) -> tuple[bool, str]:
        """Switch A off and check its filesystem."""
        self.running.tell(do="poweroff")
        self.running.wait()
        self.running.close()
        return self.lab.fsck()

    def end(self) -> None:
        """Pull the plug if the machine is still on."""
        self.tell_nudges()
        if self.vm:
            self.vm.kill()


def in_saver(event: Event | dict[str, Any]) -> bool:
    """Return whether B speaks: its first word after the jump."""
    return isinstance(event, Stage) and event.stage == StageName.SAVE


def asks_passphrase(event: Event | dict[str, Any]) -> bool:
    """Return whether C waits for a passphrase now."""
    return isinstance(event, Stage) and (event.stage, event.status) == (StageName.PASSPHRASE, "started")


def from_a(event: Event | dict[str, Any]) -> bool:
    """Return whether A speaks after a resume: the step that went away is done."""
    return isinstance(event, Step) and event.status == Status.DONE
