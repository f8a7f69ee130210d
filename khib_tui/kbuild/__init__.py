"""The distribution's own kernel, built anew so that it can jump."""
