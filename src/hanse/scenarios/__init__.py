"""Scenarios: procedures and use cases of the standard, played on real operators and checked."""
