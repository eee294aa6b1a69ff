"""The command line: a client of reference points, nothing more."""
