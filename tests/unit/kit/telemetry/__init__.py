"""Tests of telemetry; a package, so that its modules may have the names of what they test."""
