"""What A uses of its disks, where that lies on them, and whether it was changed while A slept."""
