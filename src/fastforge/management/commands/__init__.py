"""The commands that every project has, one file each."""
