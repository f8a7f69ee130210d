"""Where B and C find, in their initramfs, what was given to them; PID 1 looks only whether the first is there."""

PATH = "khib/handover.json"
KERNEL = "khib/vmlinuz"
"""C's own kernel file, in a second archive of its boot entry."""
MOVED = "khib/moved.json"
"""What a C that moved itself tells the one that it starts."""
