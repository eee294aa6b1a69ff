"""All reference points, in the order of the architecture."""

from __future__ import annotations

from hanse.kit.contract.reference import ReferencePoint
from hanse.refpoints.meo_fed import MeoFed
from hanse.refpoints.mff_fed import MffFed
from hanse.refpoints.mfm_fed import MfmFed
from hanse.refpoints.mm1 import Mm1
from hanse.refpoints.mm3 import Mm3
from hanse.refpoints.mm4 import Mm4
from hanse.refpoints.mm5 import Mm5
from hanse.refpoints.mm6 import Mm6
from hanse.refpoints.mp1 import Mp1
from hanse.refpoints.mp2 import Mp2
from hanse.refpoints.mp3 import Mp3
from hanse.refpoints.mpp_fed import MppFed
from hanse.refpoints.mx1 import Mx1

REFERENCE_POINTS: tuple[ReferencePoint, ...] = (
    Mx1,
    Mm1,
    Mm3,
    Mm4,
    Mm5,
    Mm6,
    Mp1,
    Mp2,
    Mp3,
    MfmFed,
    MffFed,
    MeoFed,
    MppFed,
)
