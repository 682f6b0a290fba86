"""What this machine can do for hornbook, found out by trying."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any

import hornbook
from hornbook.errors import InfrastructureError
from hornbook.extras import EXTRAS, missing
from hornbook.sandbox.launch import UNSAFE
from hornbook.sandbox.probe import MEANING, PLACE, Isolation, probe
from hornbook.tasks.load import available


def examine() -> dict[str, Any]:
    """Isolation proven by probes, devices, compiler, extras, benchmarks at hand."""
    try:
        isolation = probe()
    except InfrastructureError as error:
        isolation = Isolation(UNSAFE, {}, str(error))
    return {
        "hornbook": hornbook.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "isolation": {"level": isolation.level, "probes": dict(isolation.probes), "advice": isolation.advice},
        "devices": ["cuda", "cpu"] if Path("/dev/nvidiactl").exists() else ["cpu"],
        "compiler": next((name for name in ("g++", "clang++") if shutil.which(name)), None),
        "extras": {name: not missing(name) for name in EXTRAS},
        "benchmarks": available(),
    }


def as_text(found: dict[str, Any]) -> str:
    """The findings for a person, with what to do about each lack."""
    about = f"hornbook {found['hornbook']} · Python {found['python']} · {found['system']} · {found['cores']} cores"
    lines = [about, *isolation_lines(found["isolation"])]
    lines.append(f"devices     {', '.join(found['devices'])}")
    compiler = found["compiler"] or "none → install g++ and training is compiled (about a third faster)"
    lines.append(f"compiler    {compiler}")
    for name, there in found["extras"].items():
        lines.append(
            f"extra       [{name}] {'installed' if there else f'not installed → pip install hornbook[{name}]'}"
        )
    lines.append(f"benchmarks  {', '.join(found['benchmarks'])}")
    if found["system"] != "Linux":
        lines.append("system      hornbook judges programs on Linux; run it in a container or a Linux virtual machine")
    return "\n".join(lines)


def isolation_lines(isolation: dict[str, Any]) -> list[str]:
    """The level, what a program at that level tried and could not do, and the way to the next one."""
    lines = [f"isolation   {isolation['level']}: {PLACE[isolation['level']]}"]
    if isolation["probes"]:
        lines.append("            tried just now from inside (✓ stopped, ✗ got through):")
    lines += [f"            {'✓' if held else '✗'} {MEANING[name]}" for name, held in isolation["probes"].items()]
    if isolation["advice"]:
        lines.append(f"            → {isolation['advice']}")
    return lines
