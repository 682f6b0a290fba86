"""Commands about whole experiments: run and plan a recipe, read what came of it, look at the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, Settings, Unsafe, Workdir, app, show
from hornbook.errors import RequestError
from hornbook.extras import require

SANDBOXED = ("textbooks", "exercises", "evaluate")  # the parts of a recipe that run programs


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or the path of a .yaml file.")] = "laptop",
    settings: Settings = [],
    workdir: Workdir = WORKDIR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the resolved recipe and what would run.")] = False,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> None:
    """Run a recipe: data, students, examination, report. What is already there is kept."""
    from hornbook.pipeline import trains
    from hornbook.recipe import load_recipe
    from hornbook.runner import run_recipe

    if unsafe:
        settings = [*settings, *(f"{part}.sandbox.unsafe=true" for part in SANDBOXED)]
    if dry_run:
        return plan(recipe, settings, workdir, as_json)
    resolved = load_recipe(recipe, settings)
    if trains(resolved):
        require("train")
    done = run_recipe(resolved, workdir)
    public = {name: done[name] for name in ("recipe", "workdir", "report", "stages")}
    show(public, as_json, "" if as_json else run_text(workdir, done))
    return None


def run_text(workdir: Path, done: dict[str, Any]) -> str:
    """The table like Figure 2.1, and where the report is."""
    from hornbook.report.run import load_run
    from hornbook.report.tables import figure_table

    cached = sum(stage["cached"] for stage in done["stages"])
    table = figure_table(load_run(workdir / "runs" / done["recipe"]))
    return f"{table}\n\n{len(done['stages'])} stages, {cached} of them cached\nreport: {done['report']}"


@app.command()
def plan(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or the path of a .yaml file.")] = "laptop",
    settings: Settings = [],
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Show what a run would do. What is cached, what would run, and how long it took last time."""
    import yaml

    from hornbook.progress import duration
    from hornbook.recipe import load_recipe
    from hornbook.runner import plan_recipe

    resolved = load_recipe(recipe, settings)
    planned = plan_recipe(resolved, workdir)
    planned["resolved"] = resolved.model_dump(mode="json", exclude_defaults=True)
    lines = [yaml.safe_dump(planned["resolved"], sort_keys=False)]
    for row in planned["stages"]:
        state = "cached" if row["cached"] else f"unknown until {row['waits_for']}" if row["waits_for"] else "would run"
        took = f"about {duration(row['estimate_seconds'])}" if row["estimate_seconds"] is not None else ""
        lines.append(f"{row['stage'] + ' ' + row['name']:<42} {state:<40} {took}".rstrip())
    show(planned, as_json, "\n".join(lines))


@app.command()
def report(
    recipe: Annotated[str, typer.Argument(help="The recipe whose run to report.")] = "laptop",
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Write a finished run's HTML page again. Its table is printed too."""
    from hornbook.report.render import render
    from hornbook.report.run import load_run
    from hornbook.report.tables import figure_table

    folder = workdir / "runs" / recipe
    if not (folder / "run.json").exists():
        raise RequestError(f"{folder}: no finished run of {recipe!r}; start one with: hornbook run {recipe}")
    found = load_run(folder)
    render(found, folder / "report.html")
    path = str(folder / "report.html")
    show({"recipe": recipe, "report": path}, as_json, f"{figure_table(found)}\n\nreport: {path}")


@app.command()
def explain(
    row_id: Annotated[str, typer.Argument(metavar="ID", help="The `id` of a row.")],
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Trace one row. Its source, licence, score, rejection, prompt, teacher, tests, place in the tokens."""
    import yaml

    from hornbook.explain import explain as explain_row

    found = explain_row(workdir, row_id)
    text = [
        f"{f['stage']} {f['name']} · {f['table']}\n" + yaml.safe_dump(f["row"], sort_keys=False) for f in found["found"]
    ]
    show(found, as_json, "\n".join(text))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what this machine can do. Isolation proven by probes, devices, compiler, extras, benchmarks."""
    from hornbook.doctor import as_text, examine

    found = examine()
    show(found, as_json, as_text(found))
