"""Notifications: who wants to know is told, at once on the page and each night by mail."""
