"""Traffic and DNS rules of apps: what they may be, whom they conflict with, what is carried out (MEC 011, 7.1.5)."""
