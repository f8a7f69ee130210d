"""What the firmware says of the hardware that it found: the signature in the FACS (ACPI 6.5, 5.2.10).

Firmware computes it at each start; the kernel has the table where the FADT names it, and shows it as a file.
"""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.read import data

_ROOT = Path("/")
# The kernel numbers them where the FADT names two; hibernation looks at the first.
_TABLES = ("FACS", "FACS1")
_SIGNATURE = slice(8, 12)


def hardware_signature(root: Path = _ROOT) -> str:
    """Return the signature as `0x...`; '' where there is no FACS, or nobody but root may read it."""
    for name in _TABLES:
        table = data(root / "sys/firmware/acpi/tables" / name, 64)
        if table.startswith(b"FACS") and len(table) >= _SIGNATURE.stop:
            return f"{int.from_bytes(table[_SIGNATURE], 'little'):#010x}"
    return ""
