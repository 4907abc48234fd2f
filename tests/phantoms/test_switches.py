"""Switches do what they say: measured shares of wrong and blank labels, tags and casts; off, nothing changes."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from osteon.errors import OsteonError
from osteon.phantoms import PHANTOMS, SWITCHED, SWITCHES, draw
from osteon.phantoms.switches import OFF, Switches, emptied, is_tagged, mistaken, tag

TABLES = ("hip", "shoulder", "wrist", "views")


def table(root: Path, name: str = "labels.csv") -> pd.DataFrame:
    return pd.read_csv(root / name)


def targets(rows: pd.DataFrame) -> list[str]:
    names = ("fracture", "fracture_type", "body_part_view", "dislocation", "calcification", "osteosynthesis")
    return [name for name in names if name in rows]


@given(st.floats(0, 1), st.integers(0, 2**31))
def test_share_of_wrong_and_of_blank_labels_is_what_was_asked_for(share: float, seed: int) -> None:
    rng, true = np.random.default_rng(seed), {"a": 1, "b": "x", "c": None}
    allowed = {"a": (0, 1), "b": ("x", "y", "z"), "c": (0, 1)}
    said = pd.DataFrame([mistaken(true, allowed, Switches(label_noise=share), rng) for _ in range(600)])
    blank = pd.DataFrame([emptied(true, Switches(missing=share), rng) for _ in range(600)])
    fewest, most = binom.ppf([1e-9, 1 - 1e-9], 600, share)  # exact: five deviations mean nothing at a share of 1e-5
    assert fewest <= (said["a"] != 1).sum() <= most
    assert fewest <= (said["b"] != "x").sum() <= most
    assert said["c"].isna().all(), "what nobody looked at stays blank"
    assert fewest <= blank["a"].isna().sum() <= most
    assert set(said["a"]) <= {0, 1}
    assert set(said["b"]) <= {"x", "y", "z"}


@pytest.mark.parametrize("name", TABLES)
def test_wrong_labels_of_a_study_are_wrong_on_all_its_films_and_the_truth_is_kept(name: str, tmp_path: Path) -> None:
    root = draw(name, tmp_path, 60, 4, 64, Switches(label_noise=0.3))
    said, true = table(root), table(root, "labels_true.csv")
    assert list(said.columns) == list(true.columns)
    assert (said["path"] == true["path"]).all()
    one = ~said["study_id"].duplicated() | (name == "views")
    for column in targets(said):
        known = said[column].notna() & one
        wrong = (said[column] != true[column])[known]
        assert 0.12 < wrong.mean() < 0.48, "0.3 give or take three deviations of 60 studies"
        if name != "views":
            assert said.groupby("study_id")[column].nunique(dropna=False).max() == 1
    if name == "hip":
        assert ((said["fracture"] != true["fracture"]) == (said["fracture_type"] != true["fracture_type"])).all()
    clean = draw(name, tmp_path / "clean", 60, 4, 64)
    plain = table(clean)[targets(said)]
    pd.testing.assert_frame_equal(plain.dropna(), true.loc[plain.dropna().index, plain.columns], check_dtype=False)
    assert hashes(clean) == hashes(root), "films are of the truth"


def hashes(root: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (root / "images").iterdir()}


@pytest.mark.parametrize("name", TABLES)
def test_blank_labels(name: str, tmp_path: Path) -> None:
    root = draw(name, tmp_path, 60, 4, 64, Switches(missing=0.5))
    said, true = table(root), table(root, "labels_true.csv")
    for column in targets(said):
        assert 0.28 < said[column].isna().mean() < 0.75
        assert true[column].notna().all()
        known = said[column].notna()
        assert (said.loc[known, column] == true.loc[known, column]).all()


@pytest.mark.parametrize(("strength", "phi"), [(1.0, 1.0), (0.8, 0.8), (0.0, 0.0), (-1.0, -1.0), (-0.5, -0.5)])
def test_the_tag_s_correlation_with_the_label_is_the_strength(strength: float, phi: float) -> None:
    rng = np.random.default_rng(0)
    label = rng.random(4000) < 0.5
    tagged = [is_tagged(bool(one), Switches(shortcut=strength), rng) for one in label]
    assert np.corrcoef(label, tagged)[0, 1] == pytest.approx(phi, abs=0.05)


@pytest.mark.parametrize("name", [*TABLES, "shoulder_implant"])
def test_a_shortcut_is_on_the_films_that_the_table_says(name: str, tmp_path: Path) -> None:
    plain, root = draw(name, tmp_path / "a", 20, 1, 64), draw(name, tmp_path / "b", 20, 1, 64, Switches(shortcut=0.9))
    told = json.loads((root / "truth.json").read_text())
    rows = (
        {row.path: row.tag for row in table(root).itertuples()}
        if name in TABLES
        else {k: v["tag"] for k, v in told.items()}
    )
    assert set(rows.values()) == {0, 1}
    for path, tagged in rows.items():
        assert ((root / path).read_bytes() == (plain / path).read_bytes()) == (not tagged)
    if name == "wrist":
        label = table(root)["fracture"]
        assert np.corrcoef(list(rows.values()), label)[0, 1] > 0.6


def test_a_tag_is_as_white_as_its_film_can_be_and_lies_in_a_corner() -> None:
    for bits, full in ((np.uint8, 255), (np.uint16, 65535)):
        dark = np.zeros((80, 120), bits)
        film = tag(dark, np.random.default_rng(3))
        assert film.dtype == bits
        assert film.max() == full
        assert dark.max() == 0, "the film itself is left"
        y, x = np.nonzero(film)
        assert 5 < len(y) < 0.02 * film.size
        assert min(abs(x.mean() - edge) for edge in (0, 120)) < 0.15 * 120
        assert min(abs(y.mean() - edge) for edge in (0, 80)) < 0.15 * 80


def test_casts_and_metal_drawn_apart_from_the_label_tell_nothing(tmp_path: Path) -> None:
    root = draw("wrist", tmp_path, 150, 2, 64, Switches(cast=0.5, hardware=0.4))
    one = table(root).drop_duplicates("study_id")
    assert one["cast"].mean() == pytest.approx(0.5, abs=0.13)
    assert one["metal"].mean() == pytest.approx(0.4, abs=0.13)
    for flag in ("cast", "metal"):
        assert abs(np.corrcoef(one[flag], one["fracture"])[0, 1]) < 0.25
    none = table(draw("wrist", tmp_path / "none", 40, 2, 64, Switches(cast=0.0, hardware=0.0)))
    assert none[["cast", "metal"]].sum().sum() == 0
    metal = table(draw("hip", tmp_path / "hip", 30, 2, 64, Switches(hardware=1.0)))
    assert "normal" not in set(metal["fracture_type"])


def test_a_cast_is_brighter_than_the_skin_beside_it(tmp_path: Path) -> None:
    with_cast, without = (draw("wrist", tmp_path / str(c), 6, 2, 96, Switches(cast=c)) for c in (1.0, 0.0))
    for file in sorted((without / "images").iterdir()):
        bare, wrapped = (cv2.imread(str(root / "images" / file.name), 0).astype(float) for root in (without, with_cast))
        assert (wrapped - bare > 25).mean() > 0.05, "air becomes plaster"


def test_switches_that_a_set_lacks_are_refused(tmp_path: Path) -> None:
    assert set(SWITCHES) == set(SWITCHED) <= set(PHANTOMS)
    with pytest.raises(OsteonError, match=r"phantom\.cast: phantoms of hip do not have it; they have \['label_noise'"):
        draw("hip", tmp_path, 3, 0, 64, Switches(cast=0.1))
    with pytest.raises(OsteonError, match=r"phantom\.missing: phantoms of mura do not have it; they have none"):
        draw("mura", tmp_path, 3, 0, 64, Switches(missing=0.1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value"), [("label_noise", 1.1), ("missing", -0.1), ("shortcut", 2.0), ("cast", float("nan"))]
)
def test_shares_out_of_range_are_named(key: str, value: float) -> None:
    with pytest.raises(OsteonError, match=rf"phantom\.{key}"):
        Switches(**{key: value})


def test_the_slug_tells_drawings_apart() -> None:
    assert OFF.slug == ""
    assert Switches(label_noise=0.1, shortcut=0.0).slug == "-label_noise0.1-shortcut0"
    assert Switches(cast=0.0).slug != Switches(hardware=0.0).slug
