"""The kexec jump: loading B, entering it, and coming back to A."""
