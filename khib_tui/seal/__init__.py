"""Sealed images: keys, passphrases, and this machine's seal."""
