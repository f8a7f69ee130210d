"""The libraries of a program: found as the loader finds them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from khib_tui.errors import KhibError
from khib_tui.initramfs import elfdeps, pyfiles
from khib_tui.runner import run


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    source = pyfiles.interpreter().read_bytes()
    broken = tmp_path / "python"
    broken.write_bytes(source.replace(b"libc.so.6\0", b"nope.so.9\0"))
    with pytest.raises(KhibError, match=r"python needs the library nope\.so\.9"):
        elfdeps.closure({"usr/bin/python": broken})


def test_closure_of_the_interpreter() -> None:
    found = elfdeps.closure({"usr/bin/python": pyfiles.interpreter()})
    assert {"libc.so.6", "libm.so.6"} <= {Path(name).name for name in found}
    assert elfdeps.placed(elfdeps.dynamic(pyfiles.interpreter()).interpreter) in found
    assert all(path.is_file() for path in found.values())


def test_origin_is_where_a_file_will_be() -> None:
    real = Path("/venv/site-packages/pkg/_x.so")
    places = list(elfdeps._expanded(("$ORIGIN/../pkg.libs", "${ORIGIN}"), "usr/lib/khib/pkg/_x.so", real))
    assert [place.target for place in places] == ["usr/lib/khib/pkg.libs", "usr/lib/khib/pkg"]
    assert places[0].real == Path("/venv/site-packages/pkg/../pkg.libs")


def test_ld_so_conf(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.conf").write_text("/opt/a # comment\n\n")
    (tmp_path / "ld.so.conf").write_text("# first\ninclude d/*.conf\n/opt/b\nhwcap 0 nosegneg\n")
    assert list(elfdeps.configured_dirs(tmp_path / "ld.so.conf")) == [Path("/opt/a"), Path("/opt/b")]
    assert list(elfdeps.configured_dirs(tmp_path / "none")) == []


def test_a_trimmed_program_still_runs(tmp_path: Path) -> None:
    program = tmp_path / "true"
    program.write_bytes(elfdeps.trimmed(Path(shutil.which("true") or "/bin/true").read_bytes()))
    program.chmod(0o755)
    run([program])
    assert elfdeps.dynamic(program).needed
