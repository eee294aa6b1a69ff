"""The world outside, each part behind a small Protocol of `hanse.refpoints`."""
