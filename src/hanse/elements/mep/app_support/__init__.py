"""What the platform does for each app: its life, its clock, its storage, its tags (MEC 011 V3.1.1, 7; MEC 014)."""
