"""What the students read: the corpus and its funnel, what was kept and dropped, the classifier, the mixtures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from markupsafe import Markup

from hornbook.report.charts import funnel, stacked
from hornbook.report.clusters import clusters
from hornbook.report.plots import histogram, strips
from hornbook.report.run import Run, Stage, by_id, column
from hornbook.report.students import label_of
from hornbook.report.text import MINUS, count, decimal, excerpt, license_of, percent, shortened, tokens, visible, words

SHOWN_POINTS = 600
BINS = 40
TOP_SCORE = 5
DOCUMENT = ("text", "source", "path", "license")
Step = tuple[str, float, float, str, str]


def corpus_steps(run: Run) -> Iterator[Step]:
    """The funnel's steps: files read, every reason for which some left, and what was left after each stage."""
    names = {"curate": "clean corpus", "decontaminate": "after decontamination", "select": "selected as educational"}
    for place, stage in enumerate(run.holding("documents", *names)):
        left, manifest = float(stage.manifest["rows_in"]), stage.manifest
        if not place:
            yield "files read", left, 0, count(left), ""
        for reason, gone in sorted(stage.rejected.items(), key=lambda item: -item[1]):
            left -= gone
            yield words(reason), left, gone, f"{MINUS}{count(gone)}", ""
        left = float(manifest["rows_out"])
        kept = percent(left / manifest["rows_in"]) if manifest["rows_in"] else ""
        yield names[stage.stage], left, 0, count(left), f"{kept} of what came in" if kept else ""


def corpus_funnel(run: Run) -> dict[str, Any]:
    """The funnel chart, one real reject a reason and the biggest clusters; empty without a curated corpus."""
    stages = run.holding("documents", "curate")
    if not stages:
        return {}
    chart = funnel(corpus_steps(run), "From files read to documents selected; the rows list what left and why")
    return {"chart": chart, "rejects": rejects(stages[0]), "clusters": clusters(stages[0])}


def rejects(stage: Stage) -> list[dict[str, Any]]:
    """The first reject of each reason, with its number."""
    reasons = column(stage.folder / "rejected", "reason")
    ids = column(stage.folder / "rejected", "id")
    first = {reason: ids[reasons.index(reason)] for reason in sorted(set(reasons))}
    rows = by_id(stage.folder / "rejected", ("reason", "detail", "excerpt"), set(first.values()))
    return [
        {
            "reason": words(reason),
            "count": count(stage.rejected.get(reason)),
            "detail": visible(rows[row_id]["detail"]),
            "text": excerpt(rows[row_id]["excerpt"], 8),
        }
        for reason, row_id in first.items()
    ]


def selection(run: Run) -> dict[str, Any]:
    """The histogram of scores with the cut, and documents from both sides of it."""
    scores, chosen = run.holding("scores", "score"), run.holding("documents", "select")
    if not scores:
        return {}
    ids, values = column(scores[0].folder / "scores", "id"), column(scores[0].folder / "scores", "score")
    cut = chosen[0].figures.get("cut") if chosen else None
    counts, edges = np.histogram(np.asarray(values, float), bins=BINS, range=(0, TOP_SCORE))
    label = f"Scores of {count(len(values))} documents from 0 to 5" + (f", cut at {decimal(cut, 2)}" if cut else "")
    chart = histogram(edges.tolist(), counts.tolist(), cut, lambda v: decimal(v, 2), label) if values else None
    found: dict[str, Any] = {"chart": chart, "documents": count(len(values)), "cut": decimal(cut, 2), "sides": []}
    if chosen:
        found["share"] = percent(chosen[0].figures.get("share"))
        found["sides"] = sides(run, chosen[0], dict(zip(ids, values, strict=True)))
    return found


def sides(run: Run, stage: Stage, scores: dict[str, float]) -> list[dict[str, Any]]:
    """Three kept and three dropped documents: the best, the middle and the last of each side."""
    places = {"kept": ("highest score", "middle of the kept", "just above the cut")}
    places["dropped"] = ("just below the cut", "middle of the dropped", "lowest score")
    found = []
    for side, folder in (("kept", "documents"), ("dropped", "rejected")):
        ids = sorted(column(stage.folder / folder, "id"), key=lambda i: (-scores.get(i, 0.0), i))
        wanted = {ids[0]: 0, ids[len(ids) // 2]: 1, ids[-1]: 2} if ids else {}
        texts = documents(run, set(wanted))
        cards = [document_card(texts[i], scores.get(i), places[side][n]) for i, n in wanted.items() if i in texts]
        found.append({"side": side, "cards": cards})
    return found


def documents(run: Run, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Documents by id, from whichever corpus stage still has them."""
    found: dict[str, dict[str, Any]] = {}
    for stage in run.holding("documents", "select", "decontaminate", "curate"):
        if missing := ids - found.keys():
            found.update(by_id(stage.folder / "documents", DOCUMENT, missing))
    return found


def document_card(row: dict[str, Any], score: float | None, place: str) -> dict[str, Any]:
    """A document for showing."""
    path = visible(f"{shortened(row['source'])} · {shortened(row['path'])}")
    return {
        "score": decimal(score, 2),
        "place": place,
        "path": path,
        "license": license_of(row),
        "text": excerpt(row["text"]),
    }


OTHERS = {
    "shape": "all labels, by its shape expert alone",
    "meaning": "all labels, by its meaning expert alone",
    "forest": "all labels, by a random forest as in phi-1",
}


def classifier(run: Run) -> dict[str, Any]:
    """How well the classifier agrees with the labels made by reading."""
    stages = run.of("classify")
    if not stages:
        return {}
    figures = stages[0].figures
    readers = figures.get("readers_agreement") or next(
        (s.figures["readers_agreement"] for s in run.of("annotate") if s.figures.get("readers_agreement")), None
    )
    rows = [agreement("all labels", figures)]
    if figures.get("random"):
        rows.append(agreement("a random sample alone", figures["random"]))
    rows += [agreement(OTHERS.get(name, name), found) for name, found in figures.get("alternatives", {}).items()]
    packaged = figures.get("classifier") == "packaged"
    about = {"readers": readers, "packaged": packaged, "chart": validation(stages[0])}
    return {"rows": rows, "reliability": [reliability(row) for row in figures.get("reliability", [])], **about}


def reliability(row: Any) -> dict[str, str]:
    """Predictions that round to the same score: how many, their mean, and how the files were read."""
    return {
        "labels": count(row["labels"]),
        "predicted": decimal(row["predicted"], 2),
        "read": decimal(row["read"], 2),
    }


def agreement(name: str, figures: Any) -> dict[str, str]:
    """One row of the agreement table."""
    return {
        "name": name,
        "labels": count(figures.get("labels")),
        "spearman": decimal(figures.get("spearman"), 2),
        "auc": decimal(figures.get("auc_at_3"), 2),
        "kappa": decimal(figures.get("kappa"), 2),
    }


def validation(stage: Stage) -> Markup | None:
    """Label against held-out prediction, a dot a file."""
    path = stage.folder / "cross_validation.parquet"
    if not path.exists():
        return None
    rows = validated(stage, ("label", "predicted", "stratum"))
    points = [(row["label"], row["predicted"], "random" if row["stratum"] == "random" else "sought") for row in rows]
    label = f"{count(len(points))} files: label given by reading, and score predicted without having seen the package"
    return strips(points, TOP_SCORE, label) if points else None


def validated(stage: Stage, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The first rows of the cross-validation."""
    table = pq.read_table(stage.folder / "cross_validation.parquet", columns=list(columns))
    return list(table.slice(0, SHOWN_POINTS).to_pylist())


def mixtures(run: Run) -> dict[str, Any]:
    """What each training array is made of."""
    packs = [stage for stage in run.of("pack") if stage.figures]
    names = sorted({part for stage in packs for part in stage.figures})
    colours = {part: f"part-{place % 6}" for place, part in enumerate(names)}
    rows = []
    for stage in packs:
        parts = [(words(part), float(about["tokens"]), colours[part]) for part, about in stage.figures.items()]
        total = sum(value for _, value, _ in parts)
        about = [mixture_row(part, stage.figures[part], colours[part], total) for part in stage.figures]
        label = f"{stage.name}: " + ", ".join(f"{row['part']} {row['share']}" for row in about)
        rows.append(
            {"name": label_of(stage.name), "total": tokens(total), "bar": stacked(parts, label), "parts": about}
        )
    return {"packs": rows} if rows else {}


def mixture_row(part: str, figures: Any, colour: str, total: float) -> dict[str, str]:
    """One part of a mixture."""
    return {
        "part": words(part),
        "colour": colour,
        "tokens": tokens(figures["tokens"]),
        "share": percent(figures["tokens"] / total if total else 0, 0),
        "documents": count(figures["documents"]),
        "epochs": decimal(figures["epochs"], 2),
    }
