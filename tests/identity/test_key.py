import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.composing import config

from osteon.errors import OsteonError
from osteon.identity import PHANTOM_KEY, load_key
from osteon.identity.key import default_key_file


def test_made_at_first_need_and_then_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "osteon" / "identity.key"
    key = load_key(file)
    assert len(key) == 32
    assert bytes.fromhex(file.read_text().strip()) == key
    said = capsys.readouterr().err
    assert str(file) in said
    assert "keep it" in said
    assert load_key(file) == key
    assert capsys.readouterr().err == "", "said once"


def test_two_keys_differ(tmp_path: Path) -> None:
    assert load_key(tmp_path / "a.key") != load_key(tmp_path / "b.key") != PHANTOM_KEY
    assert len(PHANTOM_KEY) == 32


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_key(tmp_path / "osteon" / "identity.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "osteon").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "osteon" / "identity.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "12ab", "x" * 64, "0" * 63, "0" * 65, "0" * 100_000, "0" * 64 + "\nmore"])
def test_what_is_no_key_is_refused_and_left_alone(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.identity.key._TRIES", 1)
    file = tmp_path / "identity.key"
    file.write_text(text)
    with pytest.raises(
        OsteonError, match=r"data\.key_file=.*no key, expected 64 hex digits\. Restore your copy"
    ) as told:
        load_key(file)
    assert str(file) in str(told.value)
    assert file.read_text() == text


def test_a_key_may_be_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("  " + "AB" * 32 + "\r\n")
    assert load_key(tmp_path / "k") == b"\xab" * 32


@pytest.mark.parametrize("kind", ["folder", "below a file", "dangling link"])
def test_a_place_that_cannot_hold_a_key_names_the_setting(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "identity.key"
    if kind == "folder":
        file.mkdir()
    elif kind == "below a file":
        (tmp_path / "file").touch()
        file = tmp_path / "file" / "identity.key"
    else:
        file.symlink_to(tmp_path / "nowhere" / "key")
    with pytest.raises(OsteonError, match=r"data\.key_file=.*cannot be read or made.*OSTEON_KEY"):
        load_key(file)


def test_an_empty_name_is_no_place() -> None:
    with pytest.raises(OsteonError, match=r"data\.key_file: found nothing"):
        load_key(Path(""))


def test_a_full_disk_leaves_no_empty_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OsteonError, match="No space left"):
        load_key(tmp_path / "identity.key")
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    file = tmp_path / "osteon" / "identity.key"
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(load_key, [file] * 64))
    assert len(set(keys)) == 1


def test_processes_agree_on_one_key(tmp_path: Path) -> None:
    code = "import sys, pathlib; from osteon.identity import load_key; print(load_key(pathlib.Path(sys.argv[1])).hex())"
    words = [sys.executable, "-c", code, str(tmp_path / "identity.key")]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in running}) == 1


@pytest.mark.parametrize("said", ["/somewhere/my.key", None])
def test_the_config_and_whois_look_at_the_same_place(said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if said:
        monkeypatch.setenv("OSTEON_KEY", said)
    else:
        monkeypatch.delenv("OSTEON_KEY", raising=False)
    assert Path(config().data.key_file) == default_key_file()
