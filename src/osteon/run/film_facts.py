"""What files say of their films, put where a dataset's own table says nothing."""

import pandas as pd

_TEXTS = ("laterality", "view", "body_part")
_NUMBERS = {"spacing_mm_row": "spacing_row", "spacing_mm_column": "spacing_column"}


def add_film_facts(manifest: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Fill `laterality`, `view`, `body_part` and the spacing from the files; a table's own value stays.

    Args:
        manifest: rows with their `slot`.
        index: the cache's, where the row of an image is its slot.

    Returns:
        The manifest with `spacing_mm_row`, `spacing_mm_column` (mm of the original pixels; null where unknown) and
        `decision` (how stored values became pixels), and notes on sides that table and files tell differently.
    """
    facts = index.iloc[manifest["slot"].to_numpy()].set_axis(manifest.index)
    sides = manifest["laterality"].notna() & facts["laterality"].notna()
    differing = int((sides & (manifest["laterality"] != facts["laterality"])).sum())
    columns = {name: manifest[name].where(manifest[name].notna(), facts[name]).astype("str") for name in _TEXTS}
    columns |= {name: _number(manifest, name).fillna(facts[source]) for name, source in _NUMBERS.items()}
    note = f"laterality: {differing:,} DICOM headers say the other side than the table; the table's is kept"
    return manifest.assign(**columns, decision=facts["decision"]), (note,) if differing else ()


def _number(manifest: pd.DataFrame, name: str) -> pd.Series:
    own = manifest[name] if name in manifest else pd.Series(float("nan"), manifest.index)
    return pd.to_numeric(own, errors="coerce").astype("float64")
