"""Long work as it goes on."""
