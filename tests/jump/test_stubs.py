"""The machine code, read back by a disassembler and run by an emulator."""

from __future__ import annotations

import struct

import capstone
import pytest
from unicorn import UC_ARCH_X86, UC_MODE_64, x86_const
from unicorn.unicorn import Uc

from khib_tui.jump import stubs
from khib_tui.model.units import PAGE

AT, ENTRY = 0x0FFF_0000, 0x1_2345_6012
STACK = 0x2_0000
GDT_OF_A = 0xFFFF_8880_0000_1000
WRITE_PROTECT = 1 << 16


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


BACK, ECHO = stubs.back_to_a(ENTRY, GDT_OF_A), stubs.echo(GDT_OF_A)


@pytest.mark.parametrize(("page", "entry"), [(BACK, f"{ENTRY:#x}"), (ECHO, "qword ptr [rsp]")], ids=["back", "echo"])
def test_a_way_back_loads_the_gdt_of_a_and_sets_wp_before_it_jumps(page: bytes, entry: str) -> None:
    listed = disassembled(page, AT)
    assert listed[0][0] == "lgdt"
    assert listed[1:4] == [("mov", "rax, cr0"), ("bts", "rax, 0x10"), ("mov", "cr0, rax")]
    assert listed[4][1] == f"rax, {entry}" and listed[5:] == [("jmp", "rax")]


@pytest.mark.parametrize("page", [BACK, ECHO], ids=["back", "echo"])
def test_a_processor_that_ran_a_way_back_is_what_the_kernel_of_a_needs(page: bytes) -> None:
    """The processor comes as relocate_kernel leaves it: CR0.WP clear, no GDT, the entry on the stack."""
    processor = Uc(UC_ARCH_X86, UC_MODE_64)
    for start in (AT, STACK - PAGE, ENTRY // PAGE * PAGE):
        processor.mem_map(start, PAGE)
    processor.mem_write(AT, page)
    processor.mem_write(ENTRY, b"\xf4")
    rsp = STACK - 8
    processor.mem_write(rsp, struct.pack("<Q", ENTRY))
    processor.reg_write(x86_const.UC_X86_REG_RSP, rsp)
    before = processor.reg_read(x86_const.UC_X86_REG_CR0) & ~WRITE_PROTECT
    processor.reg_write(x86_const.UC_X86_REG_CR0, before)
    processor.emu_start(AT, ENTRY, count=20)
    assert processor.reg_read(x86_const.UC_X86_REG_RIP) == ENTRY
    assert processor.reg_read(x86_const.UC_X86_REG_CR0) == before | WRITE_PROTECT
    assert processor.reg_read(x86_const.UC_X86_REG_GDTR)[1:3] == (GDT_OF_A, 127)
    assert processor.reg_read(x86_const.UC_X86_REG_RSP) == rsp
    assert processor.mem_read(rsp, 8) == struct.pack("<Q", ENTRY)


def test_a_restorer_is_entered_on_tables_of_its_own_and_keeps_no_way_back() -> None:
    listed = disassembled(stubs.enter_c(AT, 0x0FFE_5000, 0x100_0000, 0x0FFE_0000, 0x0FFF_4000), AT)
    entered = disassembled(stubs.enter_b(AT, 0x0FFF_F000, 0x100_0000, 0x0FFE_0000, 0x0FFF_4000), AT)
    assert listed[:2] == [("movabs", "rax, 0xffe5000"), ("mov", "cr3, rax")]
    assert listed[2][0] == "lgdt" and listed[3:] == entered[3:]
