"""The tests: one folder for each room of `fastforge`, run against real servers."""
