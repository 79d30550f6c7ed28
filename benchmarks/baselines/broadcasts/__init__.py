"""What says one thing to many sockets, each program as its users write it."""
