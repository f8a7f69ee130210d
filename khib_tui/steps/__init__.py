"""The steps of every plan. Each says what it does and does it, so that preview and run cannot drift apart."""
