"""One room per functional element of ETSI GS MEC 003, ignorant of each other."""
