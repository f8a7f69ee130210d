"""What a user can choose between."""

from __future__ import annotations

from enum import StrEnum


class After(StrEnum):
    """What B does with the machine when the image is complete."""

    POWEROFF = "poweroff"
    REBOOT = "reboot"
    PLATFORM = "platform"
    HYBRID = "hybrid"


class CodecChoice(StrEnum):
    """What a user can choose; `auto` compresses what the medium leaves time for, the others everything."""

    AUTO = "auto"
    LZ4 = "lz4"
    ZSTD = "zstd"
    NONE = "none"


AUTOMATIC = 0
