"""What the firmware's ACPI tables tell: the hardware that it found (FACS), and the code that a running kernel relies on.

Firmware makes them anew at each start. The kernel shows them as files, as they lie in memory at that moment.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from khib_tui.facts.read import data, number

_ROOT = Path("/")
# The kernel numbers them where the FADT names two; hibernation looks at the first.
_TABLES = ("FACS", "FACS1")
_SIGNATURE = slice(8, 12)
_TAINT_OVERRIDDEN_ACPI_TABLE = 1 << 8


def hardware_signature(root: Path = _ROOT) -> str:
    """Return the signature as `0x...`; '' where there is no FACS, or nobody but root may read it."""
    for name in _TABLES:
        table = data(root / "sys/firmware/acpi/tables" / name, 64)
        if table.startswith(b"FACS") and len(table) >= _SIGNATURE.stop:
            return f"{int.from_bytes(table[_SIGNATURE], 'little'):#010x}"
    return ""


def acpi_tables(root: Path = _ROOT) -> str:
    """Return the SHA-256 of FADT and DSDT in hexadecimal; '' if they cannot be read.

    A running kernel interprets the DSDT where it lies, and the FADT says where that and the FACS are. It is '' too where the
    user has put other tables over the firmware's: those lie in the kernel's own memory.
    """
    place = root / "sys/firmware/acpi/tables"
    found = [data(place / name) for name in ("FACP", "DSDT")]
    if not all(found) or number(root / "proc/sys/kernel/tainted") & _TAINT_OVERRIDDEN_ACPI_TABLE:
        return ""
    return hashlib.sha256(b"".join(found)).hexdigest()
