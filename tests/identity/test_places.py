from pathlib import Path
from typing import Any

import pytest

from osteon.errors import OsteonError
from osteon.identity import (
    HASH,
    Places,
    find_places,
    hash_of,
    ledger_of,
    record,
    redact_text,
    redact_words,
    redacted,
    restored,
)

KEY = bytes(range(32))
ROOT = "/srv/Dr_Meier/hip"
CONFIG: dict[str, Any] = {
    "seed": 0,
    "tasks": {
        "hip": {
            "dataset": {"name": "hip", "file": "Meier.csv", "images": "."},
            "where": {"patient_id": "p-0123456789abcdef", "view": ["ap", "pa"]},
        }
    },
    "data": {
        "root": "/srv/Dr_Meier", "roots": {"hip": None, "mura": "/open/MURA"}, "cache_dir": "~/.cache/osteon",
        "key_file": "/keys/a.key", "fold": None,
    },
    "backbone": {"pretrained_path": "/srv/Dr_Meier/weights one.pth"},
    "logger": {"wandb": {"tags": ["from /srv/Dr_Meier/hip", "plain"]}},
}  # fmt: skip
FOLDERS = ["data.root", "data.roots.hip", "data.cache_dir", "data.key_file"]
FILES = {"tasks.hip.dataset.file": "hip"}


def folder(path: str) -> str:
    return hash_of(KEY, "d", "", path)


def found(config: dict[str, Any] | None = None) -> Places:
    return find_places(config or CONFIG, FOLDERS, FILES, [Path(ROOT)], KEY)[0]


def test_a_config_without_private_places() -> None:
    said = redacted(CONFIG, found())
    assert "Meier" not in str(said)
    assert said["data"] == {
        "root": folder("/srv/Dr_Meier"), "roots": {"hip": None, "mura": "/open/MURA"},
        "cache_dir": folder(str(Path("~/.cache/osteon").expanduser())), "key_file": folder("/keys/a.key"), "fold": None,
    }  # fmt: skip
    dataset = said["tasks"]["hip"]["dataset"]
    assert dataset == {"name": "hip", "file": hash_of(KEY, "f", "hip", "Meier.csv"), "images": "."}
    assert said["seed"] == 0
    assert said["logger"]["wandb"]["tags"][1] == "plain"
    assert CONFIG["data"]["root"] == "/srv/Dr_Meier", "what was given is not changed"


def test_a_public_run_is_written_as_it_was_typed() -> None:
    assert redacted(CONFIG, Places()) == CONFIG
    assert redact_words(["data.root=/srv/x"], Places()) == ["data.root=/srv/x"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.root=/srv/Dr_Meier", "data.root={root}"),
        ("+data.root='/srv/Dr_Meier'", "+data.root={root}"),
        ("data.root=${oc.env:PLACE}", "data.root={root}"),
        ("data.root=/srv/Dr_Meier,/srv/Dr_Huber", "data.root={root}"),
        ("data.key_file=/keys/a.key", "data.key_file={key}"),
        ("++data.roots={hip:/srv/Dr_Meier/hip}", "++data.roots={hip:{set}}"),
        ("++tasks.hip.dataset={kind:table,file:Meier.csv}", "++tasks.hip.dataset=(hidden)"),
        ("data={root:/srv/Dr_Meier}", "data=(hidden)"),
        ("hydra.run.dir=/srv/Dr_Meier/runs/x", "hydra.run.dir={root}"),
        ("hydra.run.dir=/srv/Dr_Meier/hip/Anna Meier", "hydra.run.dir={set}"),
        ("tasks.hip.dataset.file=Meier.csv", "tasks.hip.dataset.file={file}"),
        ("dataset.file=Meier.csv", "dataset.file={file}"),
        ("/srv/Dr_Meier/train.py", "{root}"),
        ("data.roots.mura=/open/MURA", "data.roots.mura=/open/MURA"),
        ("backbone=resnet18", "backbone=resnet18"),
        ("data.fold=0", "data.fold=0"),
        ("hydra.run.dir=/srv/Dr_Meierhof/x", "hydra.run.dir=/srv/Dr_Meierhof/x"),
        ("hydra.run.dir=/mnt/srv/Dr_Meier", "hydra.run.dir=/mnt/srv/Dr_Meier"),
    ],
)
def test_words_of_a_command_line(word: str, said: str) -> None:
    names = {
        "root": folder("/srv/Dr_Meier"), "set": folder(ROOT), "key": folder("/keys/a.key"),
        "file": hash_of(KEY, "f", "hip", "Meier.csv"),
    }  # fmt: skip
    for name, value in names.items():
        said = said.replace(f"{{{name}}}", value)
    assert redact_words([word], found()) == [said]


@pytest.mark.parametrize("typed", ["Dr_Meier", "./Dr_Meier/", "Dr_Meier/../Dr_Meier", "{here}/Dr_Meier"])
def test_however_the_folder_was_typed(typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dr_Meier" / "hip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    config = {"data": {"root": typed.replace("{here}", str(tmp_path))}, "name": "Dr_Meier's"}
    root = (tmp_path / "Dr_Meier" / "hip").resolve()
    places, entries = find_places(config, ["data.root"], {}, [root], KEY)
    assert redacted(config, places)["data"]["root"] == folder(str(tmp_path / "Dr_Meier"))
    assert str(tmp_path / "Dr_Meier") in {entry.original for entry in entries}
    for text in (f"{root}/a.png: bad", f"x={tmp_path}/Dr_Meier/b", "runs in Dr_Meier/runs"):
        assert "Meier" not in redact_text(text, places)


def test_a_root_that_is_a_word_of_its_own_hides_no_other_word() -> None:
    config = {"data": {"root": "hip"}, "tasks": {"hip": {"dataset": {"name": "hip"}}}, "here": ".", "up": "../x"}
    said = redacted(config, find_places(config, ["data.root"], {}, [], KEY)[0])
    assert {**said, "data": None} == {**config, "data": None}
    for top in (".", "/", "~"):
        places = find_places(config | {"data": {"root": top}}, ["data.root"], {}, [], KEY)[0]
        assert redacted(config | {"data": {"root": top}}, places)["here"] == "."
        assert redact_text("open /usr/lib/x. Done", places) == "open /usr/lib/x. Done"


def test_what_was_hidden_comes_back_through_the_ledger(tmp_path: Path) -> None:
    key_file = tmp_path / "a.key"
    places, entries = find_places(CONFIG, FOLDERS, FILES, [Path(ROOT)], KEY)
    record(ledger_of(key_file), entries)
    again = restored(redacted(CONFIG, places), key_file)
    cache = {"cache_dir": str(Path("~/.cache/osteon").expanduser())}
    assert again == {**CONFIG, "data": {**CONFIG["data"], **cache}}, "folders are absolute, all else is as it was"
    assert again["tasks"]["hip"]["where"]["patient_id"] == "p-0123456789abcdef", "a hash that was typed"


def test_a_place_that_the_ledger_does_not_know_is_asked_for(tmp_path: Path) -> None:
    record(ledger_of(tmp_path / "a.key"), [])
    said = redacted(CONFIG, found())
    with pytest.raises(OsteonError, match=r"data\.key_file=/path, or give .* again"):
        restored(said, tmp_path / "a.key")
    assert restored({"data": {"root": "/x"}}, tmp_path / "none.key") == {"data": {"root": "/x"}}
    assert all(HASH.fullmatch(said["data"][name]) for name in ("root", "cache_dir", "key_file"))
