"""Which pages of A hold nothing: read out of A's own kernel structures, in B, and in any doubt: none."""
