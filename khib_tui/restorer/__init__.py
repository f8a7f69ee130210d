"""Kernel C: check an image, put A's memory back, jump."""
