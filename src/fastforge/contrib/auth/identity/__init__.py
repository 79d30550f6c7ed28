"""Identity: who asks, from a credential that is checked once and then remembered."""
