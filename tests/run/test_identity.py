"""Nothing of a private set that tells of a patient is in what a run leaves, prints or says in an error."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.composing import SMALL, config
from tests.run.private_set import PATIENTS, PLANTED, WORDS, holds, lay, spilled

from osteon.config import Config
from osteon.errors import OsteonError
from osteon.identity import HASH, ledger_of, look_up
from osteon.run.prepare import Prepared, prepare
from osteon.run.sources import locate

KINDS = pytest.mark.parametrize("dicom", [False, True], ids=["png", "dicom"])


def settings(root: Path, here: Path, *words: str) -> Config:
    places = (f"+data.roots.hip={root}", f"data.cache_dir={here / 'cache'}", f"data.key_file={here / 'my.key'}")
    return config("task=hip_fracture", *places, *WORDS, "callbacks.progress_bar=false", *words)


def prepared(asked: Config) -> Prepared:
    return prepare(asked, locate(asked), (32, 32))


def printed(capfd: pytest.CaptureFixture[str]) -> list[str]:
    said = "".join(capfd.readouterr())
    return [word for word in PLANTED if holds(said.encode(), word)]


@pytest.mark.parametrize("word", PLANTED)
@pytest.mark.parametrize("code", ["utf-8", "utf-16", "latin-1", "json", "upper"])
def test_the_search_finds_what_it_looks_for(word: str, code: str, tmp_path: Path) -> None:
    data = {"json": json.dumps(word).encode(), "upper": word.upper().encode()}.get(code) or word.encode(code)
    (tmp_path / "plain").write_bytes(b"..." + data + b"...")
    with zipfile.ZipFile(tmp_path / "packed", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", b"..." + data)
    pd.DataFrame({"a": [word] * 3}).to_parquet(tmp_path / "t.parquet", compression="gzip")
    (tmp_path / f"named {word}").mkdir()
    assert len(spilled([tmp_path], [word])) == 4
    assert spilled([tmp_path], ["not there"]) == []


@KINDS
def test_what_is_prepared_and_cached(
    dicom: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    root = lay(tmp_path / "set", dicom)
    caplog.clear()
    asked = settings(root, tmp_path)
    ready = prepared(asked)
    assert len(ready.manifest) == 2 * PATIENTS
    assert ready.manifest["patient_id"].nunique() == PATIENTS
    for column, kind in (("image_id", "i"), ("path", "f"), ("patient_id", "p"), ("study_id", "s")):
        assert ready.manifest[column].str.fullmatch(rf"{kind}-[0-9a-f]{{16}}").all()
    left = tmp_path / "left"
    left.mkdir()
    ready.manifest.to_parquet(left / "manifest.parquet")
    (left / "about").write_text(f"{ready.notes} {ready.sources.cards['hip'].title} {ready.rejected.to_csv()}")
    (left / "log").write_text(caplog.text)
    assert spilled([left, tmp_path / "cache"]) == []
    assert printed(capfd) == []


def test_the_ledger_maps_everything_back(tmp_path: Path) -> None:
    root = lay(tmp_path / "set", False)
    ready = prepared(settings(root, tmp_path))
    table = pd.read_csv(root / "Praxisliste.csv", dtype=str)
    known = look_up(ledger_of(tmp_path / "my.key"), ready.manifest[["patient_id", "study_id", "path"]].stack().tolist())
    back = ready.manifest[["patient_id", "study_id", "path"]].map(lambda name: known[name][0].original)
    assert back["patient_id"].tolist() == table["Patient"].tolist()
    assert back["study_id"].tolist() == table["Auftrag"].tolist()
    assert back["path"].tolist() == ("Bilder_Rosalinde/" + table["Datei"]).tolist()


def test_two_runs_of_one_clinic_pair_wherever_it_lies_and_another_key_does_not(tmp_path: Path) -> None:
    first = prepared(settings(lay(tmp_path / "a", False), tmp_path)).manifest
    again = prepared(settings(lay(tmp_path / "b", False), tmp_path)).manifest
    other = prepared(settings(lay(tmp_path / "c", False), tmp_path, f"data.key_file={tmp_path / 'other.key'}")).manifest
    pd.testing.assert_frame_equal(first, again)
    assert not set(first["patient_id"]) & set(other["patient_id"])


def test_a_set_that_is_not_private_keeps_its_ids(tmp_path: Path) -> None:
    root = lay(tmp_path / "set", False)
    ready = prepared(settings(root, tmp_path, "tasks.hip_fracture.dataset.private=false"))
    assert ready.manifest["patient_id"].iloc[0] == "hip:KH4711-0000"
    assert ready.manifest["path"].iloc[0].startswith("Bilder_Rosalinde/")
    assert not (tmp_path / "my.key").exists()


def test_phantoms_make_no_key_and_still_go_the_private_way(tmp_path: Path) -> None:
    asked = config("task=hip_fracture", *SMALL, f"data.key_file={tmp_path / 'my.key'}")
    ready = prepared(asked)
    assert ready.manifest["patient_id"].map(lambda name: bool(HASH.fullmatch(name))).all()
    assert list(tmp_path.iterdir()) == []
    assert not ready.sources.places.keys
    planted = json.loads((ready.sources.roots["hip"] / "planted.json").read_text())
    words = {str(word) for listed in planted.values() for word in listed}
    text = ready.manifest.to_csv() + ready.rejected.to_csv() + str(ready.notes)
    assert len(words) > 60
    assert sorted(word for word in words if word.casefold() in text.casefold()) == []


def test_real_images_put_into_a_folder_of_phantoms_are_hidden_by_the_users_key(tmp_path: Path) -> None:
    root = lay(tmp_path / "set", False)
    (root / "PHANTOM.txt").write_text("drawn")
    prepared(settings(root, tmp_path))
    assert (tmp_path / "my.key").is_file()


def edit(root: Path, **cells: str) -> None:
    file = root / "Praxisliste.csv"
    table = pd.read_csv(file, dtype=str)
    for column, value in cells.items():
        table.loc[3, column] = value
    table.to_csv(file, index=False)


def same_image(root: Path) -> None:
    edit(root, Datei=pd.read_csv(root / "Praxisliste.csv")["Datei"][0])


def headerless(root: Path) -> None:
    file = root / "Praxisliste.csv"
    file.write_text(file.read_text().partition("\n")[2])


def torn(root: Path) -> None:
    file = root / "Praxisliste.csv"
    file.write_text(file.read_text() + "Zwirnb\u00e4cher.png,KH4711\n")


def no_images(root: Path) -> None:
    for file in (root / "Bilder_Rosalinde").iterdir():
        file.unlink()


def conflict(root: Path) -> None:
    file = root / "Praxisliste.csv"
    table = pd.read_csv(file, dtype=str)
    table.assign(Auftrag="ACC7788-1", fracture=["0", "1"] * PATIENTS).to_csv(file, index=False)


def unreadable(root: Path) -> None:
    for file in sorted((root / "Bilder_Rosalinde").iterdir())[:9]:
        file.write_text("KH4711")


def gone(root: Path) -> None:
    (root / "Praxisliste.csv").rename(root / "Praxisliste_alt.csv")


SET = "+tasks.hip_fracture.dataset.columns"
FAULTS: list[tuple[str, Callable[[Path], None], tuple[str, ...], str]] = [
    ("wrong target", lambda root: edit(root, fracture="Sturzneigung 29.03.1947"), (), "'fracture' must hold.*in row 5"),
    ("birth date as age", lambda root: None, (f"{SET}.age_years=geboren",), "must hold years"),
    ("name as side", lambda root: None, (f"{SET}.laterality=Name",), "must hold L, R"),
    ("id as sex", lambda root: None, (f"{SET}.sex=Patient",), "must hold F, M"),
    ("image twice", same_image, (), "names an image twice.*row 2.*row 5"),
    ("path leaves", lambda root: edit(root, Datei="../Zwirnb\u00e4cher.png"), (), "below the folder of images.*row 5"),
    ("spelt otherwise", lambda root: edit(root, Patient="kh4711-0001"), (), "spells one id in several ways.*row 5"),
    ("no header", headerless, (), "looks like an image's row"),
    ("unknown column", lambda root: None, (f"{SET}.sex=sax",), "no column 'sax'.*It has: Datei"),
    ("torn line", torn, (), "row 122 has 2 fields"),
    ("no table", gone, (), "there is no such file"),
    ("no parquet", lambda root: None, ("tasks.hip_fracture.dataset.file=x.parquet",), "there is no such file"),
    ("all missing", no_images, (), "no image of the dataset 'hip' can be used"),
    ("patient in two splits", lambda root: None, (f"{SET}.split=part",), "two splits.*p-[0-9a-f]{16}"),
    (
        "study of two",
        lambda root: edit(root, Patient="", Auftrag="ACC7788-0002"),
        (),
        "without a patient.*s-[0-9a-f]{16}",
    ),
    ("unreadable", unreadable, (), r"data\.max_rejected: 9 of 120.*First: f-[0-9a-f]{16}: "),
    ("conflict", conflict, ("tasks.hip_fracture.truth=same",), "p-[0-9a-f]{16}"),
]


@pytest.mark.parametrize(("change", "words", "said"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
def test_errors_tell_rows_and_hashes_only(
    change: Callable[[Path], None], words: tuple[str, ...], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "set", False)
    table = pd.read_csv(root / "Praxisliste.csv", dtype=str)
    table.assign(part=["train", "test"] * PATIENTS).to_csv(root / "Praxisliste.csv", index=False)
    change(root)
    asked = settings(root, tmp_path, *words)
    with pytest.raises(OsteonError, match=rf"(?s){said}") as fault:
        rehearsed(prepared(asked), asked)
    # The table's own name is what the user typed in this command: it may be said on the screen.
    text = str(fault.value).replace("Praxisliste.csv", "")
    assert [word for word in PLANTED if holds(text.encode(), word)] == []
    assert printed(capfd) == []


def rehearsed(ready: Prepared, asked: Config) -> None:
    from osteon.module import PredictionTable
    from osteon.run.facts import facts_of
    from osteon.run.measure import rehearse

    rehearse(PredictionTable(ready.manifest, ready.targets, ready.members, facts_of(asked, ready), "real"))


@pytest.mark.parametrize("fault", ["missing", "file", "empty", "not below", "two of them", "changed"])
def test_errors_of_folders_name_keys_only(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(tmp_path / "set", False)
    asked = settings(root, tmp_path)
    data = (
        asked.data.model_dump()
        | {
            "missing": {"roots": {"hip": f"{root}/Oldenhoff"}},
            "file": {"roots": {"hip": f"{root}/Praxisliste.csv"}},
            "empty": {"roots": {"hip": f"{tmp_path}/Oldenhoff"}},
            "not below": {"roots": {}, "root": str(root.parents[1])},
            "two of them": {"roots": {}, "root": str(tmp_path / "Marienstift")},
            "changed": {},
        }[fault]
    )
    (tmp_path / "Oldenhoff").mkdir()
    for name in ("Rosalinde", "KH4711"):
        (tmp_path / "Marienstift" / name / "hip").mkdir(parents=True)
        (tmp_path / "Marienstift" / name / "hip" / "Praxisliste.csv").touch()
    if fault == "changed":
        monkeypatch.setattr("osteon.images.store.digest_of", lambda data: b"")
    asked = asked.model_copy(update={"data": asked.data.model_validate(data)})
    with pytest.raises(OsteonError, match=r"^(data\.root|f-[0-9a-f]{16}: changed)") as told:
        prepared(asked)
    text = str(told.value).replace("Praxisliste.csv", "")
    assert [word for word in PLANTED if holds(text.encode(), word)] == []


@pytest.mark.slow
@KINDS
def test_a_whole_run_leaves_no_trace_of_a_patient(dicom: bool, tmp_path: Path) -> None:
    root = lay(tmp_path / "set", dicom)
    for file in sorted((root / "Bilder_Rosalinde").iterdir())[:2]:
        file.write_bytes(b"no image of KH4711")
    run, key = tmp_path / "run", tmp_path / "keys" / "my.key"
    columns = [word.removeprefix("+") for word in WORDS]
    words = ("task=hip_fracture", "logger=wandb", *SMALL, *columns, "backbone.pretrained=false", "data.image_size=64")
    places = (
        f"data.root={root}",
        f"data.cache_dir={tmp_path / 'cache'}",
        f"data.key_file={key}",
        f"hydra.run.dir={run}",
    )
    command = [sys.executable, "-m", "osteon.train", *words, *places]
    done = subprocess.run(command, capture_output=True, cwd=root, env={**os.environ, "WANDB_MODE": "offline"})
    assert done.returncode == 0, done.stderr.decode()
    assert spilled([run, tmp_path / "cache"]) == []
    assert [word for word in PLANTED if holds(done.stdout + done.stderr, word)] == []
    assert list((run / "wandb").glob("offline-run-*/*.wandb")), "W&B was on"
    assert len(pd.read_csv(run / "rejected.csv")) == 2

    said = yaml.safe_load((run / "config.yaml").read_text())
    hashed = [said["data"]["root"], pd.read_csv(run / "rejected.csv")["path"][0]]
    back = look_up(ledger_of(key), hashed)
    assert back[hashed[0]][0].original == str(root)
    assert back[hashed[1]][0].original.startswith("Bilder_Rosalinde/Zwirnb\u00e4cher_00")
    assert re.search(r"^data\.root=d-[0-9a-f]{16}$", (run / "overrides.txt").read_text(), re.MULTILINE)
    assert "data.root=d-" in json.loads((run / "result.json").read_text())["command"]
