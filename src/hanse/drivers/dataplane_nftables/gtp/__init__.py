"""GTP-U in user space: what base stations and other tunnel ends send, and the packets in it (3GPP TS 29.281).

`message` is the wire format, `bearer` whose tunnels there are, `labels` what a frame says of its tunnel, `inner`
what is read of a packet, `table` what an end knows, `tunnels` what it decides (all pure); `process` is the end itself,
`supervisor` holds it, `ends` tells it what there is.
"""
