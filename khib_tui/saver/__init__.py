"""Kernel B: save A's memory, or come straight back."""
