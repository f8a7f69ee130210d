"""The hibernation image: states, manifest, vmcore payload, reader and writer."""
