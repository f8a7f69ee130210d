"""What runs in the machine beside khib."""
