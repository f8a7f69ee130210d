"""Configurations of kernels: the running one's own, or what its distribution installed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from khib_tui.facts import kconfig
from tests.kit.faketree import Content, tree

OWN = gzip.compress(b"CONFIG_OWN=y\n")


def test_options_that_are_not_set_are_missing() -> None:
    text = '# CONFIG_OFF is not set\nCONFIG_ON=y\nCONFIG_MODULE=m\nCONFIG_TEXT="a = b"\nnonsense\n'
    assert kconfig.parse(text) == {"ON": "y", "MODULE": "m", "TEXT": "a = b"}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"proc/config.gz": OWN, "boot/config-6.1": "CONFIG_BOOT=y\n"}, {"OWN": "y"}),
        ({"proc/config.gz": OWN[:-12] + bytes(12), "boot/config-6.1": "CONFIG_BOOT=y\n"}, {"BOOT": "y"}),
        ({"proc/config.gz": b"no gzip", "lib/modules/6.1/config": "CONFIG_LIB=y\n"}, {"LIB": "y"}),
        ({"boot/config-6.1": "", "usr/lib/modules/6.1/config": "CONFIG_USR=y\n"}, {"USR": "y"}),
        ({"boot/config-6.2": "CONFIG_OTHER=y\n"}, {}),
    ],
)
def test_the_running_kernels_own_copy_counts_before_files(
    tmp_path: Path, files: dict[str, Content], found: dict[str, str]
) -> None:
    assert kconfig.running(tree(tmp_path, files), "6.1") == found


@pytest.mark.parametrize("release", ["", "../../etc", "a/b"])
def test_a_release_that_is_none_names_no_file(tmp_path: Path, release: str) -> None:
    root = tree(tmp_path, {"boot/config-": "CONFIG_X=y\n", "etc/config": "CONFIG_X=y\n", "boot/config-a/b": "CONFIG_X=y\n"})
    assert kconfig.of_release(root, release) == {}
