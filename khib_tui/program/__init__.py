"""khib itself as files: for the guest of the lab, and for a system that it is installed on."""
