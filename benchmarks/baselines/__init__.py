"""The usual hand-written code that fastforge is compared with, as most teams write it."""
