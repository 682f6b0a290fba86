"""The biggest clusters of near duplicates: which text stays, which go for it, and how alike they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hornbook.records import read_table
from hornbook.report.run import Stage, by_id
from hornbook.report.text import count, decimal, shortened, visible

SHOWN_CLUSTERS = 5
SHOWN_MEMBERS = 4
JACCARD_DIGITS = 2
Row = dict[str, Any]


def clusters(stage: Stage) -> dict[str, Any]:
    """The clusters with most texts, each with those of its members that are most like what stays for them; empty
    where nothing was removed."""
    if not stage.has("clusters"):
        return {}
    table = read_table(stage.folder / "clusters")
    biggest = sorted(pc.value_counts(table["cluster"]).to_pylist(), key=lambda row: (-row["counts"], row["values"]))
    shown = [row["values"] for row in biggest[:SHOWN_CLUSTERS]]
    rows = table.filter(pc.is_in(table["cluster"], value_set=pa.array(shown, pa.string()))).to_pylist()
    of = {name: [row for row in rows if row["cluster"] == name] for name in shown}
    names = names_of(stage, [row for cluster in of.values() for row in nearest(cluster)])
    return {"count": count(len(biggest)), "rows": [cluster_row(of[name], names) for name in shown]} if shown else {}


def nearest(cluster: Sequence[Row]) -> list[Row]:
    """The members of a cluster that are shown."""
    return sorted(cluster, key=lambda row: (-row["jaccard"], row["id"]))[:SHOWN_MEMBERS]


def names_of(stage: Stage, rows: Sequence[Row]) -> dict[str, str]:
    """What people call the texts in these rows: `source:path`. Removed ones are named by their rejections."""
    removed = by_id(stage.folder / "rejected", ("detail",), {row["id"] for row in rows})
    kept = by_id(stage.folder / "documents", ("source", "path"), {row["survivor"] for row in rows})
    names = {id: row["detail"].rpartition(": Jaccard ")[0] for id, row in removed.items()}
    names |= {id: f"{row['source']}:{row['path']}" for id, row in kept.items()}
    return {id: visible(shortened(name)) for id, name in names.items()}


def cluster_row(cluster: Sequence[Row], names: dict[str, str]) -> Row:
    """One cluster as the page shows it."""
    shown = nearest(cluster)
    texts = len(cluster) + len({row["survivor"] for row in cluster})
    return {
        "texts": count(texts),
        "members": list(members(shown, names)),
        "more": count(len(cluster) - len(shown)) if len(cluster) > len(shown) else "",
    }


def members(rows: Sequence[Row], names: dict[str, str]) -> Iterator[dict[str, str]]:
    """A removed text, what stays for it, and their similarity."""
    for row in rows:
        goes, stays = (names.get(str(row[side]), str(row[side])) for side in ("id", "survivor"))
        yield {"goes": goes, "stays": stays, "jaccard": decimal(row["jaccard"], JACCARD_DIGITS)}
