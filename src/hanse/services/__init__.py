"""MEC services (ETSI GS MEC 003, clause 8): ordinary Mp1 producers."""
