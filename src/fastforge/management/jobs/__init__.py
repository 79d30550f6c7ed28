"""What the commands of `manage jobs` are made of: whose jobs, which of them, and how they look."""
