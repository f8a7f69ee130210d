"""The wizard in A: one page a module."""
