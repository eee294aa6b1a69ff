"""Services across hosts and systems: told to neighbours, heard of them, found and consumed (Mp3, Mm5, Mpp-fed)."""
