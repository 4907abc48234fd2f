"""Which test images are worth a look: the worst mistakes, and some by chance."""

import pandas as pd


def mistakes(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return at most `count` test images whose call is wrong, those first whose truth was given the least probability.

    Of numbers those first that are furthest off.

    Args:
        table: as `tables.called` returns it.
        count: at most.
    """
    wrong = table[(table["split"] == "test") & table["target"].notna() & (table["call"] != table["target"])]
    if "error" in table:
        return wrong.loc[wrong["error"].abs().sort_values(ascending=False, kind="stable").index].head(count)
    return wrong.sort_values("p_truth", kind="stable").head(count)


def by_chance(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return at most `count` test images drawn by chance, alike on every call."""
    test = table[table["split"] == "test"]
    return test.sample(min(count, len(test)), random_state=0)


def caption(row: pd.Series) -> str:
    """Return what stands below an image: its id, truth, call, probability and split."""
    truth = "unlabelled" if pd.isna(row["target"]) else row["target"]
    if "error" in row:
        said = truth if isinstance(truth, str) else f"{truth:.1f}"
        return f"{row['image_id']} | true {said} | said {row['call']:.1f} | {row['split']}"
    return f"{row['image_id']} | true {truth} | called {row['call']} | p {row['probability']:.3f} | {row['split']}"
