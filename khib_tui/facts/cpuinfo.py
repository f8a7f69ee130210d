"""The processor: what it is, which modes the running kernel uses, and whether it encrypts memory."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from khib_tui.facts.read import text
from khib_tui.model import cmdline
from khib_tui.model.machine import Cpu
from khib_tui.model.text import clean

_MSR = "dev/cpu/0/msr"
_IA32_APIC_BASE, _X2APIC_ENABLED = 0x1B, 1 << 10
_AMD64_SEV, _SEV_ENABLED = 0xC0010131, 1 << 0
# From this release on the kernel hides the flag `sme` unless it uses it (arch/x86/kernel/cpu/amd.c).
_SME_FLAG_MEANS_ACTIVE = (6, 0)
# Instructions that programs look up by CPUID, known to Linux 5.4: no flag that kernels add, rename or hide by version.
_INSTRUCTIONS = """
    fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm 3dnow 3dnowext pni pclmulqdq ssse3 fma
    cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c lahf_lm abm sse4a misalignsse 3dnowprefetch xop fma4 tbm bmi1 avx2
    bmi2 adx clflush clflushopt clwb sha_ni xsaveopt xsavec clzero vaes vpclmulqdq gfni avx512f avx512dq avx512ifma avx512cd
    avx512bw avx512vl avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq rdpid
"""


def read_msr(root: Path, register: int) -> int | None:
    """Read a model specific register of CPU 0; None without the driver or without the register."""
    try:
        with (root / _MSR).open("rb", buffering=0) as stream:
            stream.seek(register)
            raw = stream.read(8)
    except OSError:
        return None
    return int.from_bytes(raw, "little") if raw and len(raw) == 8 else None


def fields(root: Path) -> dict[str, str]:
    """Return the first processor's lines of /proc/cpuinfo."""
    block = text(root / "proc/cpuinfo").partition("\n\n")[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_cpu(root: Path) -> Cpu:
    """Describe the processor; unknown numbers are -1."""
    first = fields(root)
    flags = first.get("flags", "").split()
    base = read_msr(root, _IA32_APIC_BASE)
    instructions = " ".join(sorted(set(flags).intersection(_INSTRUCTIONS.split())))
    return Cpu(
        vendor=clean(first.get("vendor_id", "")),
        model=clean(first.get("model name", "")),
        family=_number(first, "cpu family"),
        model_number=_number(first, "model"),
        stepping=_number(first, "stepping"),
        count=len(re.findall(r"^processor\s*:", text(root / "proc/cpuinfo"), re.MULTILINE)),
        la57="la57" in flags,
        x2apic="x2apic" in flags if base is None else bool(base & _X2APIC_ENABLED),
        flags_digest=hashlib.sha256(instructions.encode()).hexdigest(),
    )


def _number(first: dict[str, str], key: str) -> int:
    value = first.get(key, "")
    return int(value) if value.isascii() and value.isdigit() else -1


def memory_encryption(root: Path, release: str, line: str, config: dict[str, str]) -> str:
    """Name the memory encryption that is active (`TDX`, `SEV`, `SME`), or ''."""
    flags = fields(root).get("flags", "").split()
    if "tdx_guest" in flags or (root / "dev/tdx_guest").exists():
        return "TDX"
    guest = "hypervisor" in flags and not {"sev", "sev_es", "sev_snp"}.isdisjoint(flags)
    if guest or (read_msr(root, _AMD64_SEV) or 0) & _SEV_ENABLED or (root / "dev/sev-guest").exists():
        return "SEV"
    return "SME" if "sme" in flags and _sme_is_active(release, line, config) else ""


def _sme_is_active(release: str, line: str, config: dict[str, str]) -> bool:
    word = cmdline.value(line, "mem_encrypt")
    if word == "off":
        return False
    default = config.get("AMD_MEM_ENCRYPT_ACTIVE_BY_DEFAULT") == "y"
    version = re.match(r"(\d{1,9})\.(\d{1,9})", release)
    known = version is not None and (int(version[1]), int(version[2])) >= _SME_FLAG_MEANS_ACTIVE
    return known or default or word == "on"
