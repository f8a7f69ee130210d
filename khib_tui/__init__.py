"""khib: kexec-based hibernation that a person can set up and trust."""

__version__ = "0.1.0"
