"""What happens: event types, who takes them, and long work that tells how far it is."""
