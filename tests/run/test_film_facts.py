import numpy as np
import pandas as pd

from osteon.images.store import COLUMNS
from osteon.manifest import complete
from osteon.run.film_facts import add_film_facts

INDEX = pd.DataFrame(
    {
        "slot": [0, 1, 2, 3],
        "spacing_row": [0.1, 0.2, np.nan, 0.4],
        "spacing_column": [0.15, 0.25, np.nan, 0.45],
        "laterality": ["L", "R", None, "L"],
        "view": ["ap", "pa", None, "lateral"],
        "body_part": ["hip", "knee", None, "hand"],
        "decision": ["a", "b", "c", "d"],
    },
    columns=list(COLUMNS),
).astype({name: COLUMNS[name] for name in ("laterality", "view", "body_part", "decision")})


def manifest(**columns: object) -> pd.DataFrame:
    rows = {"image_id": list("wxyz"), "dataset": "clinic", "path": list("wxyz"), **columns}
    return complete(pd.DataFrame(rows)).assign(slot=[3, 0, 2, 1])


def test_files_fill_what_the_table_leaves_open() -> None:
    found, notes = add_film_facts(manifest(), INDEX)
    assert found["laterality"].tolist()[:2] == ["L", "L"]
    assert found["view"].tolist()[::3] == ["lateral", "pa"]
    assert found["body_part"].isna().tolist() == [False, False, True, False]
    assert found["decision"].tolist() == ["d", "a", "c", "b"]
    np.testing.assert_array_equal(found["spacing_mm_row"], [0.4, 0.1, np.nan, 0.2])
    np.testing.assert_array_equal(found["spacing_mm_column"], [0.45, 0.15, np.nan, 0.25])
    assert notes == ()


def test_the_tables_own_value_stays_and_another_side_is_told() -> None:
    own = manifest(laterality=["R", None, "R", "R"], view=["ap", None, "ap", "ap"], spacing_mm_row=[0.9, None, 0.8, 1])
    found, notes = add_film_facts(own, INDEX)
    assert found["laterality"].tolist() == ["R", "L", "R", "R"]
    assert found["view"].tolist() == ["ap", "ap", "ap", "ap"]
    assert found["spacing_mm_row"].tolist() == [0.9, 0.1, 0.8, 1.0]
    assert notes == ("laterality: 1 DICOM headers say the other side than the table; the table's is kept",)
