"""When the hand's bones appear, grow and fuse: the schedule that makes a bone age.

The schedule is a boy's, in months. Its order is Greulich and Pyle's (Radiographic Atlas of Skeletal Development of the
Hand and Wrist, 2nd edition, 1959); the ages are rounded. A girl passes the same stages earlier, so that the same bones
mean another bone age in her: `stage` turns her bone age into a boy's.
"""

from dataclasses import dataclass

import numpy as np

OLDEST = 228.0  # months: the atlas' last standard and the public sets' highest label
# A girl's bone age, and by how many months a boy whose bones look the same is older.
GIRL, LEAD = (0.0, 24.0, 72.0, 120.0, 156.0, 228.0), (1.0, 5.0, 12.0, 20.0, 25.0, 27.0)
# A boy's bone age, and the share of a man's hand length that he has.
GROWTH_AGE = (0.0, 12.0, 24.0, 48.0, 72.0, 96.0, 120.0, 144.0, 168.0, 192.0, 216.0)
GROWTH = (0.40, 0.50, 0.56, 0.65, 0.72, 0.78, 0.83, 0.89, 0.96, 0.99, 1.0)
PLATE_BEFORE, PLATE = (-160.0, -72.0, -36.0, -12.0, 0.0), (2.0, 1.6, 1.2, 0.65, 0.0)  # months before fusing; mm
SCAR = 30.0  # months for which a fused plate is seen as a line
YOUNG = 110.0  # months from a centre's first sight to its full shape

# When the eight carpal bones (a boy's months) are first seen.
CARPAL = {
    "capitate": 3.0, "hamate": 4.0, "triquetrum": 28.0, "lunate": 42.0, "trapezium": 68.0, "scaphoid": 70.0,
    "trapezoid": 72.0, "pisiform": 126.0,
}  # fmt: skip


@dataclass(frozen=True)
class Centre:
    """One epiphysis: first seen, and fused with its shaft, at these months of a boy's bone age."""

    appears: float
    fuses: float

    def shape(self, stage: float) -> float:
        """Return 0 before it is seen, then its share (0..1) of the way to its full shape."""
        return float(np.clip((stage - self.appears) / YOUNG, 0, 1))

    def plate(self, stage: float) -> float:
        """Return the growth plate's width, mm; 0 once fused."""
        return float(np.interp(stage - self.fuses, PLATE_BEFORE, PLATE))

    def scar(self, stage: float) -> float:
        """Return how plain the fused plate's line is: 1 at fusion, 0 before it and after `SCAR` months."""
        since = stage - self.fuses
        return float(1 - since / SCAR) if 0 <= since < SCAR else 0.0

    def moved(self, months: float) -> "Centre":
        """Return the centre of a child in whom it is `months` late."""
        return Centre(self.appears + 0.4 * months, self.fuses + months)


FOREARM = {"radius": Centre(13, 216), "ulna": Centre(76, 206)}
# By ray, of the metacarpal and then the phalanges.
RAY = {
    "thumb": (Centre(32, 192), Centre(30, 190), Centre(20, 182)),
    "index": (Centre(19, 197), Centre(17, 190), Centre(24, 192), Centre(30, 181)),
    "middle": (Centre(22, 196), Centre(16, 189), Centre(22, 191), Centre(24, 180)),
    "ring": (Centre(25, 196), Centre(17, 190), Centre(22, 192), Centre(24, 181)),
    "little": (Centre(29, 198), Centre(20, 192), Centre(34, 194), Centre(38, 182)),
}


def stage(months: float, male: bool) -> float:
    """Return the boy's bone age (months) at which the bones look as this child's, whose bone age is `months`."""
    return months if male else months + float(np.interp(months, GIRL, LEAD))


def growth(at: float) -> float:
    """Return the share of the adult hand's length that is reached at a stage (months of a boy's bone age)."""
    return float(np.interp(at, GROWTH_AGE, GROWTH))
