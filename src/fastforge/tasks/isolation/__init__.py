"""Isolation: attempts that run in processes of their own, which can be killed."""
