"""The page: whole, safe with hostile text, self-contained, and honest about what is missing."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_run import HOSTILE, build

from hornbook.errors import InputError
from hornbook.report.render import SECTIONS, render
from hornbook.report.run import Run, load_run

ALL = [name for name in SECTIONS if name != "proxy"]  # the fake run has no proxy training: test_report_proxy.py


class Elements(HTMLParser):
    """Collects (tag, attributes), and complains about tags that do not nest."""

    VOID = ("meta", "link", "br", "img", "input", "line", "rect", "circle", "polyline")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rendered(tmp_path: Path, **options: object) -> str:
    """The page of a fake run built with these options."""
    render(load_run(build(tmp_path / "work", **options)), tmp_path / "report.html")  # type: ignore[arg-type]
    return (tmp_path / "report.html").read_text("utf-8")


def shown(text: str) -> list[str]:
    """The sections on a page, in order."""
    return re.findall(r'<section id="(\w+)"', text)


def test_all_sections_stand_in_order_and_the_contents_lead_to_them(page: Path):
    text = page.read_text("utf-8")
    assert shown(text) == ALL
    elements = Elements(text)
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in elements.found if tag == "a"]
    assert {str(link)[1:] for link in links} <= set(ids)
    assert elements.open == []


def test_the_diversity_of_what_was_written_is_a_table(page: Path):
    text = page.read_text("utf-8")
    row = '<tr><th scope="row">distinct 3-grams</th><td class="n">≥ 0.45</td><td class="n">0.618</td><td class="n">0.583</td></tr>'
    assert row in text
    assert '<th scope="row">share of the commonest opener</th><td class="n">≤ 0.4</td>' in text
    assert '<th scope="row">distinct words</th><td class="n">–</td>' in text
    assert "exercises: 5,988 rows, 0 of 93 pages have collapsed" in text
    assert "“&lt;b&gt;for each⟨U+202E⟩” 12.5\xa0%" in text


def test_hostile_text_stays_text(page: Path):
    text = page.read_text("utf-8")
    tags = {tag for tag, _ in Elements(text).found}
    assert not tags & {"script", "img", "iframe", "object", "embed"}
    assert "<b>evil" not in text
    assert "<i>long" not in text
    assert not any(name.startswith("on") for _, a in Elements(text).found for name in a)
    assert "&lt;script&gt;document.title=" in text
    assert "{{ 7 * 7 }}" in text
    assert "⟨U+202E⟩" in text
    assert not set(re.findall(r"[\u202a-\u202e\u2066-\u2069\x00-\x08]", text))
    assert max(map(len, re.findall("w+", text))) <= 160 < max(map(len, re.findall("w+", HOSTILE)))


def test_the_page_loads_nothing(page: Path):
    text = page.read_text("utf-8")
    for tag, attributes in Elements(text).found:
        for name in ("src", "srcset", "href", "action", "poster", "data", "xlink:href"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:,")), (tag, attributes)
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|url\(|https?:", style)
    assert "default-src 'none'" in text


def test_tables_have_headers_and_pictures_have_names(page: Path):
    elements = Elements(page.read_text("utf-8")).found
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")
    assert all(
        attributes.get("aria-label")
        for _, attributes in elements
        if attributes.get("role") in ("img", "group", "region")
    )


def test_figures_reach_the_page(page: Path):
    text = page.read_text("utf-8").replace("\u00a0", " ")
    assert "Filtering did not measurably help: −0.012 bits per byte on the" in text
    assert "≈ no measurable difference" in text
    assert "−212" in text  # near duplicates of the funnel
    assert "<b>2.210</b>" in text  # the first student's last loss, from its manifest
    assert "licence unknown" in text
    assert "(empty)" in text
    assert "hornbook run fake" in text
    assert "2 of 2 planted rows" in text
    assert "None of the 50 unconventional problems has a similar training exercise." in text


@pytest.mark.parametrize(
    ("without", "gone"),
    [
        (("compare",), {"differences", "split", "completions"}),
        (("curate",), {"funnel"}),
        (("score",), {"selection"}),
        (("select", "annotate"), set()),
        (("classify",), {"classifier"}),
        (("pack", "pretrain", "finetune"), {"mixtures", "losses"}),
        (("write_textbooks", "write_exercises"), {"written"}),
        (("write_textbooks-textbooks", "baseline"), set()),
        (("compare", "evaluate", "baseline"), {"arms", "differences", "split", "completions"}),
    ],
)
def test_a_section_without_its_artifact_is_left_out(tmp_path: Path, without: tuple[str, ...], gone: set[str]):
    assert shown(rendered(tmp_path, without=without)) == [name for name in ALL if name not in gone]


def test_a_run_without_artifacts_still_has_a_page(tmp_path: Path):
    run = Run("empty", 0, "0.1.0", False, {}, (), ("pretrain-raw",))
    render(run, tmp_path / "new" / "report.html")
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert shown(text) == ["reproduction"]
    assert "This run is not finished." in text
    assert "No finished artifact for: pretrain-raw." in text
    assert "claims no difference" in text


def test_a_torn_artifact_is_one_clear_error(tmp_path: Path):
    folder = build(tmp_path)
    next((tmp_path / "artifacts").glob("compare-*/comparison.json")).write_text("{")
    with pytest.raises(InputError, match=r"comparison\.json: not JSON"):
        render(load_run(folder), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_the_classifiers_agreement_its_rivals_its_ceiling_and_how_true_its_scores_are(page: Path):
    text = page.read_text("utf-8")
    cells = [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
    ]
    assert ["predicted by", "all labels: 230", "the random sample alone: 118"] in cells
    shipped = "the classifier: a support vector machine on shape and meaning, levelled"
    assert [shipped, "0.71", "0.88", "0.64", "0.55", "–", "0.51"] in cells
    assert ["a random forest, as in phi-1", "0.66", "0.81", "0.60", "0.52", "0.79", "–"] in cells
    assert ["the ceiling: two readers, of 80 files", "0.83", "–", "–", "–", "–", "–"] in cells
    assert ["1.05 on average", "200", "0.90", "0.80 to 1.00"] in cells
    assert ["2.90 on average", "1", "3.20", ""] in cells


def test_the_reliability_curve_shows_means_bounds_and_how_many(page: Path):
    text = page.read_text("utf-8")
    curve = text[text.index("Files by the score predicted") :]
    curve = curve[: curve.index("</svg>")]
    dots = re.findall(r'<circle cx="([\d.]+)%" cy="([\d.]+)" r="([\d.]+)"', curve)
    # across from -0.15 to 5.15; upwards 210 pixels for five points; the area of a dot follows the number
    assert dots == [("22.64", "182.2", "9.0"), ("57.55", "85.6", "3.4")]
    assert len(re.findall('class="whisker"', curve)) == 1
    assert 'y1="186.4" y2="178.0" class="whisker"' in curve


def test_a_model_that_labelled_stands_with_its_agreement_with_itself_and_with_readers(tmp_path: Path):
    folder = build(tmp_path)
    manifest = next((tmp_path / "artifacts").glob("annotate-*/manifest.json"))
    itself = {"who": "the model with itself", "files": 12, "spearman": 0.93}
    figures = {"readers_agreement": itself, "with_packaged_readers": {"files": 34, "spearman": 0.77, "kappa": 0.61}}
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"figures": figures}))
    render(load_run(folder), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)]
    assert "the ceiling: the model with itself, of 12 files 0.93 – – – – –" in rows
    assert "the model that labelled, with careful readers of 34 files 0.77 – 0.61 – – –" in rows
    assert "two readers" not in text


def test_the_biggest_clusters_name_who_goes_who_stays_and_how_alike_they_are(page: Path):
    text = page.read_text("utf-8")
    table = re.findall(r"<tr>.*?</tr>", text[text.index("clusters of near duplicates") :], re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in table][:7]
    assert "The biggest of 2 clusters" in text
    assert cells[1][0] == "7"  # six go, one stays
    assert [row[1] for row in cells[1:5]] == [f"&lt;i&gt;copy&lt;/i&gt;:v/near{n}.py" for n in (5, 4, 3, 2)]
    assert [row[3] for row in cells[1:5]] == ["0.95", "0.94", "0.93", "0.92"]
    assert cells[2][2] == "cpython:lib/module_000.py"
    assert cells[5] == ["", "and 2 more"]
    assert cells[6][0] == "2"
    assert re.fullmatch("…ong(long)+/⟨U\\+202E⟩gnp.py", cells[6][2])


def test_the_packaged_classifier_is_said_to_be_unmeasured(tmp_path: Path):
    folder = build(tmp_path)
    manifest = next((tmp_path / "artifacts").glob("classify-*/manifest.json"))
    about = json.loads(manifest.read_text()) | {"figures": {"classifier": "packaged", "labels": 12}}
    manifest.write_text(json.dumps(about))
    render(load_run(folder), tmp_path / "report.html")
    assert "Its agreement was not measured here." in (tmp_path / "report.html").read_text("utf-8")


def test_rendering_takes_less_than_three_seconds(run: Run, tmp_path: Path):
    began = time.perf_counter()
    render(run, tmp_path / "report.html")
    assert time.perf_counter() - began < 3


def test_the_same_run_gives_the_same_bytes(run: Run, page: Path, tmp_path: Path):
    render(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == page.read_bytes()
