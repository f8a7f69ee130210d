"""The kernel's own interfaces: system calls, physical memory, its console."""
