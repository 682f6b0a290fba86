"""Commands about topics: show the tree, let a teacher expand it, see what of it has been covered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, app, show
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
    out: Annotated[Path, typer.Option("--out", help="The file of the larger tree; it must not exist.")],
    tree: OwnTree = None,
    to: Annotated[int, typer.Option(help="How many leaves to grow to.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="How often every leaf may be asked about.")] = 3,
    near: Annotated[float, typer.Option(help="Topics that share so much of their words are the same.")] = 2 / 3,
    temperature: Annotated[float, typer.Option(help="The teacher's; 0 is greedy.")] = 0.7,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.")] = 2048,
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses.")] = WORKDIR / "responses",
    as_json: Json = False,
) -> None:
    """Let a language model name narrower topics; near duplicates are removed and counted."""
    from hornbook.synthesis.topics.expand import expand_alone

    options = {"to": to, "rounds": rounds, "near": near, "temperature": temperature, "max_tokens": max_tokens}
    found = expand_alone(teacher, tree, out, responses, options)
    turned_away = ", ".join(f"{count:,} {reason}" for reason, count in found["rejected"].items()) or "none"
    show(found, as_json, f"{found['leaves']:,} topics in {out}, {found['added']:,} of them new; rejected: {turned_away}")


@topics.command("coverage")
def coverage_of(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Datasets of sections or exercises.")],
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
    lines = [f"{'branch':<28} {'topics':>7} {'covered':>8} {'rows':>9}"]
    lines += [f"{b['branch']:<28} {b['leaves']:>7,} {b['covered']:>8,} {b['rows']:>9,}" for b in found["branches"]]
    lines.append(f"{found['rows']:,} rows cover {found['covered']:,} of {found['leaves']:,} topics")
    lines += [f"  none yet: {path}" for path in found["gaps"][:10]]
    lines += [f"  and {len(found['gaps']) - 10:,} more (--json names them all)"] if len(found["gaps"]) > 10 else []
    lines += [f"  not in the tree: {topic} ({rows:,})" for topic, rows in list(found["unplaced"].items())[:10]]
    return "\n".join(lines)
