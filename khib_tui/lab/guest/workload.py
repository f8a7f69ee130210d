"""What A is busy with in the lab: memory of a known hash, a tmpfs file, an open file that grows, a counter.

Commands and answers are JSON lines on standard input and output, so nothing needs to be started after a resume.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import xxhash

from khib_tui.model.units import MIB

TMPFS_FILE = Path("/tmp/khib-known")
LOG_FILE = Path("/var/tmp/khib-log")
TREES = (Path("/usr/bin"), Path("/usr/lib"))


def mem(key: str) -> int:
    """Read a value of /proc/meminfo in bytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


class Workload:
    """The state whose survival is checked."""

    def __init__(self) -> None:
        self.memory: mmap.mmap | None = None
        self.known: dict[str, Any] = {}
        self.secret = b""
        self.ticks = 0
        self.gap = 0.0
        self.backwards = 0
        self.log = LOG_FILE.open("ab", buffering=0)
        self.lock = threading.Lock()
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        """Count and write lines; the clock must never go backwards."""
        last = time.monotonic()
        while True:
            time.sleep(0.05)
            now = time.monotonic()
            with self.lock:
                self.backwards += now < last
                self.gap = max(self.gap, now - last)
                last = now
                self.ticks += 1
                if self.ticks % 10 == 0:
                    self.log.write(b"%d\n" % (self.ticks // 10))

    def fill(self, percent: int, shadow: int) -> dict[str, Any]:
        """Take memory: `percent` of what is free once `shadow` bytes are set aside for the saver."""
        count = int((mem("MemAvailable") - shadow) * percent / 100) // MIB
        self.memory = mmap.mmap(-1, max(count, 1) * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        base = os.urandom(MIB // 2).hex().encode()
        for number in range(count):
            turn = number * 4099 % MIB
            at = number * MIB
            self.memory[at : at + MIB - turn] = base[turn:]
            self.memory[at + MIB - turn : at + MIB] = base[:turn]
        TMPFS_FILE.write_bytes(os.urandom(2 * MIB))
        return {"filled": count * MIB, "total": mem("MemTotal"), "available": mem("MemAvailable")}

    def plant(self, secret: str, passphrase: str, key_file: str) -> dict[str, Any]:
        """Keep secrets in memory for the host to look for in the image: bytes, given in hexadecimal, and a key file."""
        self.secret = bytes.fromhex(secret) * 4096
        with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(f"{passphrase}\n")
        return {"planted": len(self.secret)}

    def remember(self, deep: bool) -> dict[str, Any]:
        """Note everything as it is now."""
        self.known = self._look(deep)
        with self.lock:
            self.gap = 0.0
        return {"known": True, "files": len(self.known["files"])}

    def check(self, deep: bool) -> dict[str, Any]:
        """Compare everything with what was noted."""
        now, before = self._look(deep), self.known
        wrong = [key for key in ("pid", "memory", "tmpfs") if now[key] != before[key]]
        wrong += [f"file {name}" for name, digest in before["files"].items() if now["files"].get(name) != digest][:5]
        if not (now["ticks"] >= before["ticks"] and now["wall"] >= before["wall"] and not self.backwards):
            wrong.append("clock order")
        if not self._log_is_whole():
            wrong.append("the growing file")
        if not self._disk_writes():
            wrong.append("disk writes")
        return {"intact": not wrong, "wrong": wrong, "gap": self.gap, "ticks": now["ticks"], "files": len(now["files"])}

    def _look(self, deep: bool) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "memory": digest(self.memory) if self.memory else "",
            "tmpfs": xxhash.xxh3_128_hexdigest(TMPFS_FILE.read_bytes()),
            "files": dict(checksums()) if deep else {},
            "ticks": self.ticks,
            "wall": time.time(),
        }

    def _log_is_whole(self) -> bool:
        with self.lock:
            numbers = [int(line) for line in LOG_FILE.read_bytes().split()]
        return numbers == list(range(1, self.ticks // 10 + 1))

    def _disk_writes(self) -> bool:
        path, data = Path("/var/tmp/khib-written"), os.urandom(MIB)
        with path.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return path.read_bytes() == data


def digest(memory: mmap.mmap) -> str:
    """Hash memory without copying it."""
    state = xxhash.xxh3_128()
    with memoryview(memory) as view:
        for at in range(0, len(view), 16 * MIB):
            state.update(view[at : at + 16 * MIB])
    return str(state.hexdigest())


def checksums() -> Iterator[tuple[str, int]]:
    """Read every program and library."""
    for tree in TREES:
        for path in sorted(tree.rglob("*")):
            if path.is_file() and not path.is_symlink():
                value = 0
                with path.open("rb") as stream:
                    while block := stream.read(MIB):
                        value = zlib.crc32(block, value)
                yield str(path), value


def main() -> None:
    """Serve commands until standard input ends."""
    workload = Workload()
    verbs: dict[str, Callable[..., dict[str, Any]]] = {
        "fill": workload.fill, "remember": workload.remember, "check": workload.check,
        "plant": workload.plant,
    }  # fmt: skip
    for line in sys.stdin:
        command = json.loads(line)
        answer = verbs[command.pop("do")](**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
