"""What `manage deploy` writes: files for Docker, Compose, Kubernetes and systemd."""
