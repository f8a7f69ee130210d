"""One module a command, and what can be typed."""
