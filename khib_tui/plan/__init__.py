"""From a decision to steps: each says what it does and does it, so that preview and run cannot drift apart."""
