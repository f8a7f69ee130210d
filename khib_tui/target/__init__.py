"""Where images lie: found, opened, protected."""
