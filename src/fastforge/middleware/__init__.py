"""ASGI layers of the framework's own."""
