"""Addresses of the running kernel."""

from __future__ import annotations

from pathlib import Path

from khib_tui.jump import gdt


def test_symbols_are_found_by_their_whole_names_and_hidden_ones_left_out(tmp_path: Path) -> None:
    table = tmp_path / "kallsyms"
    table.write_text("0000000000009000 D gdt_page\nffffffff81 d the_gdt_page_2\nffff0 T gdt_page\t[mod]\nffff1 D hidden\n")
    assert gdt.symbols({"gdt_page", "hidden", "page"}, table) == {"gdt_page": 0x9000, "hidden": 0xFFFF1}
    table.write_text("0000000000000000 D gdt_page\n0000000000000000 D hidden\n")
    assert gdt.symbols({"gdt_page", "hidden"}, table) == {"gdt_page": 0}
