"""Tokens: what a user is given at a login, what a program is given for a user, and their checks."""
