"""What the machine is made of: kernel, root, caches."""
