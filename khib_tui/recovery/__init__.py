"""What runs in B and C: their initramfs, PID 1, the saver and the restorer."""
