"""What exists, how it is configured, how it is wired and run."""
