"""External: calls of addresses that somebody outside has given, which reach no inner network."""
