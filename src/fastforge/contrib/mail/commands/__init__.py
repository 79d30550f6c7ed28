"""The commands of mail."""
