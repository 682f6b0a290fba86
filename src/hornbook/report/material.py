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
from hornbook.report.plots import reliability as reliability_plot
from hornbook.report.run import Run, Stage, by_id, column
from hornbook.report.students import label_of
from hornbook.report.text import MINUS, count, decimal, excerpt, license_of, percent, shortened, tokens, visible, words

SHOWN_POINTS = 600
BINS = 40
TOP_SCORE = 5
FILTERED = "filtered"  # the selection that mixtures call `selected`
DOCUMENT = ("text", "source", "path", "license")
Step = tuple[str, float, float, str, str]


def corpus_steps(run: Run) -> Iterator[Step]:
    """The funnel's steps: files read, every reason for which some left, and what was left after each stage."""
    names = {
        "curate": "clean corpus",
        "decontaminate": "after decontamination",
        "hold_out": "left for training",
        "select": "selected as educational",
    }
    for place, stage in enumerate(stage for stage in run.holding("documents", *names) if not further(stage)):
        left, manifest = float(stage.manifest["rows_in"]), stage.manifest
        if not place:
            yield "files read", left, 0, count(left), ""
        for reason, gone in sorted(stage.rejected.items(), key=lambda item: -item[1]):
            left -= gone
            yield words(reason), left, gone, f"{MINUS}{count(gone)}", ""
        left = float(manifest["rows_out"])
        kept = percent(left / manifest["rows_in"]) if manifest["rows_in"] else ""
        yield names[stage.stage], left, 0, count(left), f"{kept} of what came in" if kept else ""


def further(stage: Stage) -> bool:
    """Whether a stage is one of a recipe's further selections, beside the one called `selected`."""
    return stage.stage == "select" and stage.name != FILTERED


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
    scores = run.holding("scores", "score")
    chosen = [stage for stage in run.holding("documents", "select") if not further(stage)]
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


KINDS = {
    "levelled": "a support vector machine on shape and meaning, levelled",
    "forest": "a random forest, as in phi-1",
    "svr": "a support vector machine on standardised numbers",
    "ridge": "ridge regression",
}


def classifier(run: Run) -> dict[str, Any]:
    """How well the classifier, and others that it was chosen over, agree with the labels made by reading."""
    stages = run.of("classify")
    if not stages:
        return {}
    figures = stages[0].figures
    readers = figures.get("readers_agreement") or next(
        (s.figures["readers_agreement"] for s in run.of("annotate") if s.figures.get("readers_agreement")), None
    )
    kind = figures.get("kind", "levelled")
    rows = [agreement(f"the classifier: {KINDS.get(kind, kind)}", figures)]
    rows += [agreement(KINDS.get(name, name), found) for name, found in figures.get("alternatives", {}).items()]
    rows += [with_readers(stage.figures) for stage in run.of("annotate") if "with_packaged_readers" in stage.figures]
    return {
        "packaged": figures.get("classifier") == "packaged",
        "embedder": figures.get("embedder", "packaged"),
        "rows": rows,
        "labels": count(figures.get("labels")),
        "random": count((figures.get("random") or {}).get("labels")),
        "readers": {"who": readers.get("who", "two readers"), "files": count(readers["files"]), **measures(readers)}
        if readers
        else None,
        "chart": validation(stages[0]),
        "curve": reliability_curve(figures.get("reliability", [])),
        "reliability": [reliability(row) for row in figures.get("reliability", [])],
    }


def with_readers(figures: Any) -> dict[str, Any]:
    """How far the model that labelled agrees with the packaged readers."""
    found = figures["with_packaged_readers"]
    return agreement(f"the model that labelled, with careful readers of {count(found['files'])} files", found)


def reliability(row: Any) -> dict[str, str]:
    """Predictions that round to the same score: how many, their mean, and how the files were read."""
    bounds = [decimal(row.get(end), 2) for end in ("low", "high")] if row.get("low") is not None else []
    return {
        "labels": count(row["labels"]),
        "predicted": decimal(row["predicted"], 2),
        "read": decimal(row["read"], 2),
        "bounds": " to ".join(bounds),
    }


def reliability_curve(rows: Sequence[Any]) -> Markup | None:
    """Mean label against mean prediction, a dot a whole score."""
    bins = [(row["predicted"], row["read"], row.get("low"), row.get("high"), row["labels"]) for row in rows]
    label = "Files by the score predicted for them: its mean, and the mean label given by reading"
    return reliability_plot(bins, TOP_SCORE, label) if bins else None


def agreement(name: str, figures: Any) -> dict[str, Any]:
    """One row of the agreement table: over all labels, and over the random sample alone."""
    return {"name": name, "all": measures(figures), "random": measures(figures.get("random") or {})}


def measures(figures: Any) -> dict[str, str]:
    """Spearman, AUC and kappa for showing."""
    return {
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
