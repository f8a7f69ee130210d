"""The machine code of the jumps: entering B from A, going back to A from B or C, and from A to itself.

x86-64, entered in long mode with interrupts off on an identity mapping (arch/x86/kernel/relocate_kernel_64.S).
"""

from __future__ import annotations

import struct

CODE_SELECTOR = 0x10
DATA_SELECTOR = 0x18
GDT = struct.pack("<4Q", 0, 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF)
GDT_LIMIT_OF_A = 127
# Offset of the 64-bit entry point in the protected-mode kernel (Documentation/arch/x86/boot.rst).
ENTRY_64 = 0x200
SET_WRITE_PROTECT = bytes.fromhex("0f20c0 480fbae810 0f22c0")  # mov rax, cr0; bts rax, 16; mov cr0, rax

_GDTR = 0x100
_GDT_AT = 0x110


def _page(code: bytes, gdt_limit: int, gdt_base: int, gdt: bytes = b"") -> bytes:
    assert len(code) <= _GDTR
    body = code.ljust(_GDTR, b"\xcc") + struct.pack("<HQ", gdt_limit, gdt_base)
    return body.ljust(_GDT_AT, b"\0") + gdt


def _lgdt(at: int) -> bytes:
    """`lgdt [rip + ...]` of the pointer at _GDTR, for an instruction that starts at offset `at`."""
    return b"\x0f\x01\x15" + struct.pack("<i", _GDTR - (at + 7))


def enter_b(at: int, mailbox: int, kernel: int, boot_params: int, stack: int) -> bytes:
    """Code at physical address `at` that leaves the jump back entry in the mailbox and starts kernel B.

    The kernel calls it, so the return address on the stack is A's jump back entry.
    """
    code = b"\x48\x8b\x04\x24"  # mov rax, [rsp]
    code += b"\x48\xa3" + struct.pack("<Q", mailbox)  # mov [mailbox], rax
    return _enter(code, at, kernel, boot_params, stack)


def enter_c(at: int, tables: int, kernel: int, boot_params: int, stack: int) -> bytes:
    """Code at physical address `at` that starts kernel C on page tables of ours; nobody goes back from there."""
    code = b"\x48\xb8" + struct.pack("<Q", tables) + b"\x0f\x22\xd8"  # mov rax, tables; mov cr3, rax
    return _enter(code, at, kernel, boot_params, stack)


def _enter(code: bytes, at: int, kernel: int, boot_params: int, stack: int) -> bytes:
    """Add to code: make the processor what a kernel needs to find, and enter it."""
    code += _lgdt(len(code))
    code += b"\xb8" + struct.pack("<I", DATA_SELECTOR)  # mov eax, data
    code += b"\x8e\xd8\x8e\xc0\x8e\xd0\x8e\xe0\x8e\xe8"  # mov ds, es, ss, fs, gs
    code += b"\x48\xbc" + struct.pack("<Q", stack)  # mov rsp, stack
    code += b"\x48\xbe" + struct.pack("<Q", boot_params)  # mov rsi, boot_params
    code += b"\x6a" + bytes([CODE_SELECTOR])  # push code
    code += b"\x48\xb8" + struct.pack("<Q", kernel + ENTRY_64)  # mov rax, entry
    code += b"\x50\x48\xcb"  # push rax; retfq
    return _page(code, len(GDT) - 1, at + _GDT_AT, GDT)


def back_to_a(entry: int, gdt_of_a: int) -> bytes:
    """Code for B and C that goes back to A at its jump back entry."""
    return _way_back(b"\x48\xb8" + struct.pack("<Q", entry), gdt_of_a)  # mov rax, entry


def echo(gdt_of_a: int) -> bytes:
    """Code that A enters itself, and that goes straight back: the return address on the stack is the jump back entry."""
    return _way_back(b"\x48\x8b\x04\x24", gdt_of_a)  # mov rax, [rsp]


def _way_back(entry_into_rax: bytes, gdt_of_a: int) -> bytes:
    """Make the processor what A's kernel needs to find, and jump to the entry in rax, leaving the stack as it is.

    Kernels before the GDT fix (6.1 among them) load a segment before they load their GDT (a virtual address of A).

    All kernels up to 7.2 load A's CR4 before A's CR0. The kernel that jumps has cleared CR0.WP, and a processor takes no
    CR4.CET without it (#GP, and there is no IDT). WP forbids nothing here: an identity mapping is writable throughout.
    """
    code = _lgdt(0) + SET_WRITE_PROTECT + entry_into_rax
    return _page(code + b"\xff\xe0", GDT_LIMIT_OF_A, gdt_of_a)  # jmp rax
