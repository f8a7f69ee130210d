"""How much B and C may take of the region."""

from __future__ import annotations

from khib_tui.model.units import MIB

# A thread takes 8 to 10 MiB, measured with zstd: its frame, what it makes of it, frames that wait for their turn, the codec.
WORKER_MEMORY = 8 * MIB
# More are faster than any disk.
MOST_WORKERS = 8
