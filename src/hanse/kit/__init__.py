"""The kit knows no MEC word: contracts, problems, store, procedures, tokens, certificates, telemetry."""
