"""What passes between the kernels: A to B, A to C, and back to A."""
