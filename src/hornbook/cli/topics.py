"""Commands about topics: show the tree, let a teacher expand it, see what of it has been covered."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, Out, Settings, app, show
from hornbook.errors import RequestError

topics = typer.Typer(help="The tree of topics that prompts are drawn from.", no_args_is_help=True)
app.add_typer(topics, name="topics")

OwnTree = Annotated[Path | None, typer.Option("--tree", help="Your own tree (YAML); the packaged one when left out.")]


@topics.command("show")
def show_topics(
    tree: OwnTree = None,
    branch: Annotated[str | None, typer.Option(help="Show the leaves of this branch.")] = None,
    as_json: Json = False,
) -> None:
    """Show the tree: branches and groups, or every leaf of one branch."""
    from hornbook.synthesis.topics.reading import load_tree
    from hornbook.synthesis.topics.show import as_text, outline

    found = outline(load_tree(tree), branch)
    show(found, as_json, as_text(found, leaves=branch is not None))


@topics.command("expand")
def expand_topics(
    teacher: Annotated[str, typer.Option(help="Who suggests topics: MODEL@URL or MODEL@replay.")],
    out: Out,
    tree: OwnTree = None,
    to: Annotated[int, typer.Option(help="How many leaves to grow to.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="How often every leaf may be asked about.")] = 3,
    settings: Settings = [],
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses.")] = WORKDIR / "responses",
    as_json: Json = False,
) -> None:
    """Let a language model name narrower topics. Near duplicates are removed and counted."""
    from hornbook.recipe import settings_for
    from hornbook.standalone import run_alone
    from hornbook.synthesis.topics.expand import Expand, expand_tree, teacher_named

    asked = {"temperature": 0.7} | teacher_named(teacher)
    config = settings_for(Expand, {"to": to, "rounds": rounds, "teacher": asked}, settings)
    ledger = run_alone(partial(expand_tree, responses=responses), config, out, tree=tree)
    added, rejected = ledger.rows_out - ledger.rows_in, dict(sorted(ledger.rejected.items()))
    found = {"leaves": ledger.rows_out, "added": added, "rejected": rejected, "out": str(out)}
    turned_away = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items()) or "none"
    text = f"{ledger.rows_out:,} topics in {out / 'tree.yaml'}, {added:,} of them new; rejected: {turned_away}"
    show(found, as_json, text)


@topics.command("coverage")
def coverage_of(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="Datasets of sections or exercises.")],
    tree: OwnTree = None,
    out: Annotated[Path | None, typer.Option("--out", help="Keep the counts here: the next draw begins there.")] = None,
    as_json: Json = False,
) -> None:
    """Which topics have rows, and which have none."""
    from hornbook.synthesis.topics.coverage import cover, summary
    from hornbook.synthesis.topics.reading import load_tree

    if out is not None and out.exists():
        raise RequestError(f"--out {out}: is there already; name a new folder")
    resolved = load_tree(tree)
    ledger = cover(folders, resolved)
    found = summary(ledger, resolved)
    if out is not None:
        ledger.write(out)
        found["out"] = str(out)
    show(found, as_json, coverage_text(found))


def coverage_text(found: dict[str, Any]) -> str:
    """The figures of a coverage for people, the first gaps by name."""
    lines = [f"{'branch':<28} {'groups':>12} {'topics':>14} {'rows':>9}"]
    for b in found["branches"]:
        groups, leaves = f"{b['groups_covered']:,} of {b['groups']:,}", f"{b['covered']:,} of {b['leaves']:,}"
        lines.append(f"{b['branch']:<28} {groups:>12} {leaves:>14} {b['rows']:>9,}")
    lines.append(f"{found['rows']:,} rows cover {found['covered']:,} of {found['leaves']:,} topics")
    lines += [f"  none yet: {path}" for path in found["gaps"][:10]]
    lines += [f"  and {len(found['gaps']) - 10:,} more (--json names them all)"] if len(found["gaps"]) > 10 else []
    lines += [f"  not in the tree: {topic} ({rows:,})" for topic, rows in list(found["unplaced"].items())[:10]]
    return "\n".join(lines)
