"""The throwaway QEMU machine in which everything can be tried without risk."""
