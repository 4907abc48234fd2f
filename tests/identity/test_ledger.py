import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osteon.errors import OsteonError
from osteon.identity import Entry, hash_of, ledger_of, look_up, record

KEY = bytes(range(32))


def entry(original: str, kind: str = "p", dataset: str = "hip") -> Entry:
    return Entry(hash_of(KEY, kind, dataset, original), kind, dataset, original)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return ledger_of(tmp_path / "identity.key")


def test_it_lies_beside_its_key() -> None:
    assert ledger_of(Path("/a/identity.key")) == Path("/a/identity.ledger.sqlite")
    assert ledger_of(Path("/a/clinic.key")) == Path("/a/clinic.ledger.sqlite")


def test_what_was_written_is_found_again_and_only_that(ledger: Path) -> None:
    strange = [entry(text) for text in ("0012", "M\u00fcller, Anna", "a'b\"; DROP TABLE name", "x\ny", " ")]
    record(ledger, strange)
    record(ledger, [*strange, entry("later")])
    unknown = hash_of(KEY, "p", "hip", "unknown")
    found = look_up(ledger, [*(one.hash for one in strange), unknown])
    assert [found[one.hash] for one in strange] == [[one] for one in strange]
    assert found[unknown] == []


def test_a_path_that_is_no_unicode_is_kept_as_well_as_can_be(ledger: Path) -> None:
    record(ledger, [one := entry("M\udcfcller.png", "f")])
    assert look_up(ledger, [one.hash])[one.hash][0].original == "M\\udcfcller.png"


def test_one_hash_of_two_sets_shows_both(ledger: Path) -> None:
    one = entry("1")
    record(ledger, [one, one._replace(dataset="knee", original="2")])
    assert [found.dataset for found in look_up(ledger, [one.hash])[one.hash]] == ["hip", "knee"]


def test_only_its_owner_reads_it(ledger: Path) -> None:
    record(ledger, [entry("1")])
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600


@pytest.mark.parametrize("fault", ["folder", "damaged", "no such folder"])
def test_a_ledger_that_cannot_be_written_is_a_warning(
    fault: str, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if fault == "folder":
        ledger.mkdir()
    elif fault == "damaged":
        ledger.write_bytes(b"no database" * 1000)
    else:
        ledger = ledger.parent / "nowhere" / ledger.name
    record(ledger, [entry("secret")])
    said = capsys.readouterr().err
    assert str(ledger) in said
    assert "whois" in said
    assert "secret" not in said
    if fault == "damaged":
        assert ledger.read_bytes() == b"no database" * 1000, "it is the only copy"


def test_reading_what_is_missing_or_damaged(ledger: Path) -> None:
    with pytest.raises(OsteonError, match=r"no such ledger.*--key-file"):
        look_up(ledger, [entry("1").hash])
    ledger.write_bytes(b"no database" * 1000)
    with pytest.raises(OsteonError, match="cannot be read"):
        look_up(ledger, [entry("1").hash])


def test_a_writer_that_dies_leaves_nothing_half_written(ledger: Path) -> None:
    def dying() -> object:
        yield entry("1")
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        record(ledger, dying())  # type: ignore[arg-type]
    with sqlite3.connect(ledger) as store:
        assert store.execute("SELECT count(*) FROM sqlite_master").fetchone() in {(0,), (1,)}
    assert not ledger.with_name(f"{ledger.name}-journal").exists()
    record(ledger, [entry("2")])
    found = look_up(ledger, [entry("1").hash, entry("2").hash])
    assert [len(entries) for entries in found.values()] == [0, 1]


def test_four_processes_write_at_once(ledger: Path) -> None:
    code = (
        "import sys, pathlib; from osteon.identity import Entry, record\n"
        "start = int(sys.argv[2])\n"
        "for part in range(5):\n"
        "    made = [Entry(f'p-{n:016x}', 'p', 'hip', str(n)) for n in range(start, start + 2000)]\n"
        "    record(pathlib.Path(sys.argv[1]), made)\n"
    )
    words = [[sys.executable, "-c", code, str(ledger), str(1000 * start)] for start in range(4)]
    running = [subprocess.Popen(word, stderr=subprocess.PIPE, text=True) for word in words]
    assert [process.communicate()[1] for process in running] == [""] * 4
    with sqlite3.connect(ledger) as store:
        assert store.execute("SELECT count(*) FROM name").fetchone() == (5000,)


def test_100_000_rows_are_a_matter_of_seconds(ledger: Path) -> None:
    many = [Entry(f"p-{number:016x}", "p", "hip", str(number)) for number in range(100_000)]
    start = time.perf_counter()
    record(ledger, many)
    assert time.perf_counter() - start < 5.0
    record(ledger, many)
    assert time.perf_counter() - start < 10.0
