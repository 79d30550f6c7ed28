"""The checks of contrib.db, by what they look at."""
