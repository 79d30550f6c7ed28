"""Accounts: who writes."""
