"""Tables without their owners: the columns that tell of a patient, replaced by keyed hashes."""

from collections.abc import Sequence

import pandas as pd

from osteon.errors import OsteonError
from osteon.identity.names import Entry, hash_of

# Column -> kind. A study is named without its patient, so that "a study of two patients" is still seen in the hashes.
COLUMNS = {"patient_id": "p", "study_id": "s", "image_id": "i", "path": "f"}


def hide(frames: Sequence[pd.DataFrame], dataset: str, key: bytes) -> tuple[list[pd.DataFrame], list[Entry]]:
    """Return `frames` with patient, study, image and path as hashes, and what every hash stands for; nulls stay.

    A patient's original is the id without the dataset's prefix (`hip:0012` -> `0012`).

    Args:
        frames: tables of one dataset; each may lack any of the columns.
        dataset: its name, part of every hash.
        key: 32 bytes.

    Raises:
        OsteonError: two originals of one kind got the same hash.
    """
    entries: list[Entry] = []
    hidden = [frame.copy() for frame in frames]
    for column, kind in COLUMNS.items():
        holding = [frame for frame in hidden if column in frame]
        plain = [_plain(frame[column], dataset) if kind == "p" else frame[column] for frame in holding]
        originals = pd.concat(plain).dropna().unique().tolist() if plain else []
        names = {original: hash_of(key, kind, dataset, original) for original in originals}
        if len(set(names.values())) < len(names):
            raise OsteonError(
                f"dataset {dataset!r}: two values of {column} have the same hash. Use another key: data.key_file=/path"
            )
        for frame, values in zip(holding, plain, strict=True):
            frame[column] = values.map(names).astype(object).where(values.notna(), None)
        entries += [Entry(name, kind, dataset, original) for original, name in names.items()]
    return hidden, entries


def _plain(ids: pd.Series, dataset: str) -> pd.Series:
    return ids.astype("str").str.removeprefix(f"{dataset}:").where(ids.notna(), None)
