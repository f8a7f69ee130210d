"""Files that others defined: kernels, archives, cores."""
