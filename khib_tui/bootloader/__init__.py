"""C's entry in the boot menu."""
