"""Services of apps: registered, found, kept alive, told of (ETSI GS MEC 011 V3.1.1, 8)."""
