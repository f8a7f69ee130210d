"""The only module that imports subprocess."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from khib_tui.errors import CommandFailed
from khib_tui.i18n import _

TEXT_LIMIT = 4 << 20
# without those of system administration, Debian's users would find no sfdisk and no mke2fs
PROGRAMS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def clean_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the small environment that programs are run in."""
    keep = ("PATH", "HOME", "TERM", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR")
    env = {key: os.environ[key] for key in keep if key in os.environ}
    env["PATH"] = ":".join(dict.fromkeys([*filter(None, env.get("PATH", "").split(":")), *PROGRAMS]))
    return env | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"} | dict(extra or {})


def run(
    argv: Sequence[str | os.PathLike[str]], *, cwd: Path | None = None, check: bool = True,
    input: str | None = None, env: Mapping[str, str] | None = None, log: IO[Any] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a program to its end, without a shell and without standard input.

    :param log: where its output goes instead of being captured.
    :raises CommandFailed: it is missing, failed (unless `check` is false) or took longer than `timeout` seconds.
    """
    words = [os.fspath(word) for word in argv]
    streams: dict[str, Any] = (
        {"stdout": log, "stderr": subprocess.STDOUT} if log else {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    )
    if input is None:
        streams["stdin"] = subprocess.DEVNULL
    try:
        done = subprocess.run(
            words, cwd=cwd, input=input, env=clean_env(env), text=True, errors="replace", timeout=timeout,
            check=False, **streams,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise CommandFailed(
            _("{program} is not installed").format(program=words[0]),
            hint=_("install the package that has it"),
            ident="HIB-E-MISSING",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(
            _("{program} took longer than {timeout:.0f} s").format(program=words[0], timeout=timeout), ident="HIB-E-TIMEOUT"
        ) from error
    if check and done.returncode:
        raise CommandFailed(failure_text(words, done.returncode, done.stderr or done.stdout or ""), ident="HIB-E-COMMAND")
    return done


def failure_text(words: Sequence[str], code: int, output: str) -> str:
    """Return how a program failed, with the line of its output that complains."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    full = [line for line in lines if os.strerror(errno.ENOSPC) in line]
    complaints = full or [line for line in lines if "error" in line.lower() or "fail" in line.lower()] or lines[-1:]
    tail = f": {complaints[0]}" if complaints else ""
    return _("{command} ended with code {code}{tail}").format(command=shlex.join(words[:4]), code=code, tail=tail)


def spawn(
    argv: Sequence[str | os.PathLike[str]], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.Popen[bytes]:
    """Start a program that goes on in the background; the caller waits for it or ends it."""
    words = [os.fspath(word) for word in argv]
    streams.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.Popen(words, cwd=cwd, env=clean_env(env), **streams)
    except FileNotFoundError as error:
        raise CommandFailed(_("{program} is not installed").format(program=words[0]), ident="HIB-E-MISSING") from error


def interact(argv: Sequence[str | os.PathLike[str]]) -> int:
    """Give the terminal to a program until it ends; gives its exit code."""
    return subprocess.run([os.fspath(word) for word in argv], check=False).returncode
