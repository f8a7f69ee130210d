"""What kernels take at most, and how much B and C may take of the region."""

from __future__ import annotations

from khib_tui.model.units import MIB

# A thread takes 8 to 10 MiB, measured with zstd: its frame, what it makes of it, frames that wait for their turn, the codec.
WORKER_MEMORY = 8 * MIB
# More are faster than any disk.
MOST_WORKERS = 8

# Linux takes no more from kexec_load(2) (include/uapi/linux/kexec.h), and no more in the zero page's memory map.
KEXEC_SEGMENT_MAX = 16
E820_MAX = 128
