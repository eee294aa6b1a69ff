"""Frozen values that several elements share: descriptor, package, place, agreement."""
