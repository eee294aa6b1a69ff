"""Benchmarks: each compares Hanse with a floor of the same parts, in one run, in rounds that alternate."""
