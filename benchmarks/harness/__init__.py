"""What the benchmarks share: rows, requests in this process, projects in temporary folders."""
