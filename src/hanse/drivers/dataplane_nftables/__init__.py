"""The nftables data plane: rules in the kernel, a namespace for each device, access network and host.

See `README.md`.
"""

from hanse.drivers.dataplane_nftables.driver import NftablesDataPlane
from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer
from hanse.drivers.dataplane_nftables.site import AccessNetwork, Site

__all__ = ["AccessNetwork", "Bearer", "NftablesDataPlane", "Site"]
