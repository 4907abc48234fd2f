"""The page: nothing is fetched, everything is escaped, columns sort by a click."""

import re
import shutil
import subprocess
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from osteon.leaderboard import leaderboard
from osteon.leaderboard.page import to_page
from tests.leaderboard.making import leave, studies


class Outline(HTMLParser):
    """What a page links to, and how many cells each of its rows has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.rows: list[int] = []
        self.sections = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self.sections += tag == "section"
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1


def test_the_page_stands_alone(two_recipes: Path) -> None:
    text = to_page(leaderboard([two_recipes], "mura", replicates=100))
    found = Outline()
    found.feed(text)
    assert found.links == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp", text)
    assert found.sections == 3
    assert found.rows[0] == found.rows[1] == found.rows[2]
    for heading in ("kappa", "AUROC", "sensitivity", "wrist", "positive", "backbone", "source", "seeds", "n"):
        assert f">{heading}</button>" in text
    assert "1 best" in text
    assert "published on another split, not comparable" in text


def test_names_are_escaped(tmp_path: Path) -> None:
    leave(tmp_path / "r", studies, backbone="<script>alert(1)</script>")
    (tmp_path / "r" / "overrides.txt").write_text("")
    text = to_page(leaderboard([tmp_path]))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_faults_and_phantoms_are_told(tmp_path: Path) -> None:
    leave(tmp_path / "good", lambda split: studies(split).assign(source="phantom"))
    bad = leave(tmp_path / "bad", studies)
    (bad / "result.json").write_text("{")
    text = to_page(leaderboard([tmp_path]))
    assert 'class="phantom"' in text
    assert "PHANTOM" in text
    assert "result.json: not JSON" in text


@pytest.mark.browser
def test_a_click_sorts(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium")
    for seed in range(4):
        leave(tmp_path / f"r{seed}", partial(studies, seed=seed), settings=f"s{seed}", backbone=f"net{seed}")
    text = to_page(leaderboard([tmp_path], replicates=100))
    # The page clicks itself and writes down what it then shows.
    probe = """<script>
    const table = document.querySelector("table"), told = [];
    const click = (name) => [...table.tHead.querySelectorAll("button")].find((b) => b.textContent === name).click();
    const column = (name) => [...table.tHead.rows[0].cells].findIndex((c) => c.textContent.trim() === name);
    const text = (cell) => cell.dataset.number ?? cell.textContent;
    const shown = (name) => [...table.tBodies[0].rows].map((row) => text(row.cells[column(name)]));
    for (const name of ["AUROC", "AUROC", "recipe"]) { click(name); told.push(shown(name).join("|")); }
    document.body.textContent = "TOLD " + told.join(";") + " END";
    </script>"""
    (tmp_path / "page.html").write_text(text.replace("</body>", probe + "</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=2000"]
    done = subprocess.run(
        [browser, *flags, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    up, down, names = re.search(r"TOLD (.*?) END", done.stdout)[1].split(";")  # type: ignore[index]
    values = [float(one) for one in up.split("|")]
    assert values == sorted(values)
    assert [float(one) for one in down.split("|")] == sorted(values, reverse=True)
    assert names.split("|") == [f"net{seed}*" for seed in range(4)]
