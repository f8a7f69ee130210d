"""The guard of A: a start of A while an image of it waits is seen before any disk is touched, and asked about."""
