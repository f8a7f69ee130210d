"""Reading this machine."""
