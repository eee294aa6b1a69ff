"""One room per reference point: its APIs, their values and errors, owned by neither side."""
