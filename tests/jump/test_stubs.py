"""The machine code, read back by a disassembler."""

from __future__ import annotations

import struct

import capstone

from khib_tui.jump import stubs

AT, ENTRY = 0x0FFF_0000, 0x1_2345_6000


def disassembled(page: bytes, at: int) -> list[tuple[str, str]]:
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    listed = []
    for instruction in engine.disasm(page[:0x100], at):
        listed.append((instruction.mnemonic, instruction.op_str))
        if instruction.mnemonic in ("retfq", "jmp"):
            break
    return listed


def gdtr(page: bytes, offset_of_lgdt: int) -> tuple[int, int]:
    """Follow the rip-relative operand of the lgdt at an offset."""
    assert page[offset_of_lgdt : offset_of_lgdt + 3] == b"\x0f\x01\x15"
    (distance,) = struct.unpack_from("<i", page, offset_of_lgdt + 3)
    limit, base = struct.unpack_from("<HQ", page, offset_of_lgdt + 7 + distance)
    return limit, base


def test_the_entry_keeps_the_way_back_and_starts_the_kernel_in_long_mode() -> None:
    page = stubs.enter_b(AT, 0x0FFF_F000, 0x100_0000, 0x0FFE_0000, 0x0FFF_4000)
    assert disassembled(page, AT) == [
        ("mov", "rax, qword ptr [rsp]"),
        ("movabs", "qword ptr [0xffff000], rax"),
        ("lgdt", "[rip + 0xeb]"),
        ("mov", "eax, 0x18"),
        ("mov", "ds, eax"),
        ("mov", "es, eax"),
        ("mov", "ss, eax"),
        ("mov", "fs, eax"),
        ("mov", "gs, eax"),
        ("movabs", "rsp, 0xfff4000"),
        ("movabs", "rsi, 0xffe0000"),
        ("push", "0x10"),
        ("movabs", "rax, 0x1000200"),
        ("push", "rax"),
        ("retfq", ""),
    ]
    limit, base = gdtr(page, page.index(b"\x0f\x01\x15"))
    descriptors = struct.unpack_from("<4Q", page, base - AT)
    assert limit == 31 and descriptors[2] >> 53 & 1 and descriptors[2] >> 43 & 1, "selector 0x10 is 64-bit code"
    assert descriptors[3] >> 41 & 7 == 1, "selector 0x18 is writable data"
    assert len(page) <= 4096


def test_the_way_back_loads_the_gdt_of_a_and_leaves_the_stack_alone() -> None:
    page = stubs.back_to_a(ENTRY, 0xFFFF_8880_0000_1000)
    assert [name for name, _ in disassembled(page, AT)] == ["lgdt", "movabs", "jmp"]
    assert disassembled(page, AT)[1:] == [("movabs", f"rax, {ENTRY:#x}"), ("jmp", "rax")]
    assert gdtr(page, 0) == (127, 0xFFFF_8880_0000_1000)
