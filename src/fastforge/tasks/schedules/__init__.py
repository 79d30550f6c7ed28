"""Schedules: jobs that are enqueued at certain times, each time once."""
