from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from osteon.cli import app
from osteon.errors import OsteonError
from osteon.identity import Entry, hash_of, ledger_of, record
from osteon.identity.whois import show_names

KEY = bytes(range(32))
NAMED = {
    kind: Entry(hash_of(KEY, kind, "hip", original), kind, "hip", original)
    for kind, original in {
        "p": "0012",
        "s": "2",
        "i": "films/[red]x[/red].png",
        "f": "a" * 150,
        "d": "/x\x1b[31m",
    }.items()
}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    record(ledger_of(tmp_path / "my.key"), NAMED.values())
    return tmp_path / "my.key"


def shown(words: list[str], key_file: Path) -> str:
    out = StringIO()
    show_names(words, key_file, Console(file=out, width=90))
    return out.getvalue()


def test_every_kind_is_named_in_words(key_file: Path) -> None:
    text = shown([entry.hash for entry in NAMED.values()], key_file)
    for word in ("patient", "study", "image", "file", "folder", "hip", "0012", "films/[red]x[/red].png"):
        assert word in text
    assert text.count("a") >= 150, "a long path is folded, not cut"
    assert "\x1b" not in text


def test_ids_that_hold_hashes_will_do(key_file: Path) -> None:
    text = shown([f"patient:{NAMED['p'].hash}", f"{NAMED['p'].hash}/{NAMED['s'].hash}"], key_file)
    assert text.count(NAMED["p"].hash) == 1
    assert NAMED["s"].hash in text


def test_the_known_are_shown_before_the_unknown_are_refused(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = hash_of(KEY, "p", "hip", "nobody")
    with pytest.raises(OsteonError, match=rf"{unknown}': .*my\.ledger\.sqlite does not know this.*--key-file"):
        show_names([NAMED["p"].hash, unknown], key_file, Console(width=90))
    assert "0012" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["9912", "p-12", "x-0123456789abcdef", "p-0123456789ABCDEF", ""])
def test_a_word_that_is_neither_hash_nor_id_is_refused(word: str, key_file: Path) -> None:
    with pytest.raises(OsteonError, match=r"neither as a hash .*16 hex digits"):
        shown([word], key_file)


def test_an_id_goes_by_its_hashes(key_file: Path) -> None:
    assert NAMED["p"].hash in shown(["0012"], key_file)


def test_the_command(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["data", "whois", NAMED["p"].hash, "--key-file", str(key_file)])
    assert done.exit_code == 0
    assert "0012" in done.output
    monkeypatch.setenv("OSTEON_KEY", str(key_file))
    assert "0012" in CliRunner().invoke(app, ["data", "whois", NAMED["p"].hash]).output
    monkeypatch.setenv("OSTEON_KEY", str(key_file.with_name("other.key")))
    assert isinstance(CliRunner().invoke(app, ["data", "whois", NAMED["p"].hash]).exception, OsteonError)
