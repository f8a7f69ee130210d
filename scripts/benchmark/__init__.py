"""The benchmark: khib beside its peers, on the same memory, in one run."""
