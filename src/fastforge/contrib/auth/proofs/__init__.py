"""Proofs: what a mail carries to show that whoever sends it back reads that mailbox."""
