"""Where the limits of the diversity meter stand: pages of good rows beside pages made to be bad.

Good: the shelf's sections, procedural exercises. Bad: the same rows spoilt in one known way each. For every measure the
first table shows the good page nearest to collapse, and the limit; the second shows, for every spoilt stream, the page
that least shows it, and the dial that the meter names.

    python benchmarks/diversity.py            half a minute; ends with CPU and memory for 20,000 exercises
    python benchmarks/diversity.py --model FOLDER --prompts titles     two pages a temperature, written by a model: from
                                              the titles of sections, the names of exercises, or "def " for all (one)

Exits with 1 when a good page collapses, or a page of a spoilt stream does not or names another dial.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from hornbook.synthesis.diversity import Diversity
from hornbook.synthesis.limits import MEASURES, Collapse, Limits, collapsed
from hornbook.synthesis.pages import PAGE_ROWS, PROPER, Figures
from hornbook.synthesis.procedural import Procedural, compose
from hornbook.synthesis.textbooks import shelf

Row = dict[str, Any]
Stream = tuple[str, str | None, list[Row]]  # what was done, the dial it calls for ("": none; None: no matter), the rows
ROWS = 4 * PAGE_ROWS
SENTENCE = re.compile(r"[A-Z][^.!?`#|\n]{30,}[.!?]")
LIMITS = Limits()
SWEPT = ("near_duplicates", "distinct_3", "compression", "coverage", "opener")


def main() -> int:
    """What was asked for; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--prompts", choices=PROMPTS, default="titles")
    asked = parser.parse_args()
    random.seed(0)
    return sweep(asked.model, PROMPTS[asked.prompts]()) if asked.model else tables()


def tables() -> int:
    """Print both tables and the cost; returns the exit code."""
    sections = [section.row() for section in shelf()]
    random.shuffle(sections)
    exercises = [exercise.row() for exercise in compose(Procedural(n=8000, seed=1))[0]]
    good = {"shelf": pages(sections), "procedural": pages(exercises)}
    wrong = [name for name, found in good.items() if any(judged(page) for page in found)]
    show_good(good)
    print("\n| spoilt stream | pages | the page that least shows it | dial |\n|---|--:|---|---|")
    for name, dial, rows in spoilt(sections, exercises):
        if not show_spoilt(name, dial, pages(rows)):
            wrong.append(name)
    cost(exercises)
    print("on the wrong side:", ", ".join(wrong) or "none")
    return bool(wrong)


def pages(rows: list[Row]) -> list[Figures]:
    """The figures of every full page."""
    meter, found = Diversity(LIMITS), []
    for number, row in enumerate(rows, 1):
        meter.add(row)
        if number % PAGE_ROWS == 0:
            found.append(meter.last)
    return found


def judged(page: Figures) -> list[Collapse]:
    """The measures of a page that have collapsed."""
    return collapsed(page, LIMITS, PAGE_ROWS)


def spoilt(sections: list[Row], exercises: list[Row]) -> Iterator[Stream]:
    """The streams made to be bad."""
    few = sections[: 2 * PAGE_ROWS]
    for share in (0, 0.02, 0.05, 0.1, 0.2):
        yield (
            f"one section whatever is asked, {100 * share:.0f} % of its words others",
            "temperature",
            copies(few, 3, share),
        )
        yield (
            f"one exercise whatever is asked, {100 * share:.0f} % of its words others",
            "temperature",
            copies(exercises[:ROWS], 3, share),
        )
    yield "30 % of exercises one, 2 % of its words others", "temperature", mixed(exercises[:ROWS], 0.3)
    yield "six prompts asked again and again", "seeds", again(exercises[:6])
    for sentences in (20, 80, 160):
        yield f"texts of 15 out of {sentences} sentences", "temperature", stock(few, sentences)
    for share in (0.2, 0.5, 0.8):
        yield f"{100 * share:.0f} % of sections begin alike", "audiences" if share > 0.2 else "", opened(few, share)
    for family in ("chars", "dates", "fold_list"):
        rows = [exercise.row() for exercise in compose(Procedural(n=ROWS, seed=1, families=[family]))[0]]
        yield f"exercises of one family, {family}", "topics", rows
        yield (
            f"the same under 64 topics, {family}",
            None,
            [row | {"topic": str(n % 64)} for n, row in enumerate(rows)],
        )
    for number in (1, 3):
        yield f"sections on {number} topics", "topics", named(few, "topic", number)
        yield f"sections for {number} audiences", "audiences" if number == 1 else "", named(few, "audience", number)
        yield f"sections with {number} names in them", "names", renamed(few, number)


def changed(row: Row, share: float) -> Row:
    """The row with this share of its words exchanged for words that nothing else has."""
    column = "text" if "text" in row else "prompt"
    words = [f"w{random.random()}" if random.random() < share else word for word in row[column].split(" ")]
    return row | {column: " ".join(words)}


def copies(rows: list[Row], one: int, share: float) -> list[Row]:
    """Every row with its own topic and audience, and the text of one."""
    kept = ("topic", "audience")
    return [changed(rows[one], share) | {name: row[name] for name in kept if name in row} for row in rows]


def mixed(rows: list[Row], share: float) -> list[Row]:
    """The rows, this share of them exchanged for nearly the same one."""
    return [changed(rows[3], 0.02) if random.random() < share else row for row in rows]


def again(rows: list[Row]) -> list[Row]:
    """Nearly the same answers to the same prompts, over and over."""
    return [
        changed(row, 0.02) | {"provenance": {"prompt_digest": row["id"]}} for _ in range(ROWS // 6 + 1) for row in rows
    ]


def opened(rows: list[Row], share: float) -> list[Row]:
    """The rows, this share of them begun in the same words."""
    return [
        row | {"text": "In this section, " + row["text"].lstrip("# ")} if random.random() < share else row
        for row in rows
    ]


def stock(rows: list[Row], sentences: int) -> list[Row]:
    """Texts of 15 sentences, each drawn from the same few."""
    bank = [found for row in rows for found in SENTENCE.findall(row["text"])][: 40 * sentences : 40]
    return [{"text": " ".join(random.choices(bank, k=15))} for _ in rows]


def named(rows: list[Row], column: str, number: int) -> list[Row]:
    """The rows with so many topics or audiences."""
    return [row | {column: str(place % number)} for place, row in enumerate(rows)]


def renamed(rows: list[Row], number: int) -> list[Row]:
    """The rows, with every name in them one of so many."""
    return [row | {"text": PROPER.sub(lambda _: f"Lil{'abc'[random.randrange(number)]}", row["text"])} for row in rows]


def nearest(found: list[Figures], name: str) -> str:
    """The value of the page nearest to collapse."""
    values = [value for page in found if (value := page[name]) is not None]
    return f"{(max if MEASURES[name].most else min)(values):.3g}" if values else "–"


def show_good(good: dict[str, list[Figures]]) -> None:
    """The first table."""
    heads = [f"{name} ({len(found)} pages)" for name, found in good.items()]
    print(f"| measure | {' | '.join(heads)} | limit |\n|---|{'--:|' * (len(good) + 1)}")
    for name, measure in MEASURES.items():
        values = " | ".join(nearest(found, name) for found in good.values())
        print(f"| `{name}`: {measure.words} | {values} | {'≤' if measure.most else '≥'} {getattr(LIMITS, name):g} |")


def show_spoilt(name: str, dial: str | None, found: list[Figures]) -> bool:
    """A line of the second table; whether every page names the dial that it should."""
    least = min((judged(page) for page in found), key=len)
    said = ", ".join(f"`{one.measure}` {one.value:.3g}" for one in least)
    dials = {MEASURES[all_[0].measure].dial.partition(":")[0] if (all_ := judged(page)) else "" for page in found}
    near = " ".join(f"{n} {nearest(found, n)}" for n in ("coverage", "opener", "audiences"))
    print(f"| {name} | {len(found)} | {said or 'nothing; ' + near} | {', '.join(sorted(dials)) or '–'} |")
    return dial is None or dials == {dial}


def titles() -> list[str]:
    """The first lines of 128 sections."""
    return [section.text.partition("\n")[0] + "\n\n" for section in shelf()[: 2 * PAGE_ROWS]]


def names() -> list[str]:
    """How 128 exercises begin."""
    return [f"def {exercise.name}(" for exercise in compose(Procedural(n=2 * PAGE_ROWS, seed=77))[0]]


PROMPTS = {"titles": titles, "names": names, "one": lambda: ["def "] * (2 * PAGE_ROWS)}


def sweep(folder: str, prompts: list[str]) -> int:
    """A model's pages at five temperatures, a line each."""
    from hornbook.model.generate import Decoding, complete
    from hornbook.model.load import load

    model = load(folder)
    column, stop = ("prompt", ("\ndef ",)) if prompts[0].startswith("def ") else ("text", ())
    print(f"| temperature | {' | '.join(SWEPT)} | dial |\n|---|{'--:|' * len(SWEPT)}---|")
    for temperature in (0.0, 0.3, 0.7, 1.0, 1.3):
        texts = complete(model, prompts, Decoding(temperature=temperature, max_new_tokens=160, seed=3, stop=stop))
        found = pages([{column: start + rest} for start, rest in zip(prompts, texts, strict=True)])
        dials = {MEASURES[all_[0].measure].dial.partition(":")[0] for page in found if (all_ := judged(page))}
        values = " | ".join(nearest(found, name) for name in SWEPT)
        print(f"| {temperature} | {values} | {', '.join(sorted(dials)) or '–'} |")
    return 0


def cost(exercises: list[Row]) -> None:
    """CPU and the memory that the meter holds after 20,000 exercises."""
    rows = [changed(row, 0.1) for row in (exercises * 3)[:20_000]]
    meter, began = Diversity(LIMITS), time.process_time()
    for row in rows:
        meter.add(row)
    print(f"\n{1e6 * (time.process_time() - began) / len(rows):.0f} µs of CPU an exercise over {len(rows):,}")
    tracemalloc.start()
    meter = Diversity(LIMITS)
    for row in rows[:4000]:
        meter.add(row)
    print(f"{tracemalloc.get_traced_memory()[1] / 2**20:.1f} MiB at most over 4,000")


if __name__ == "__main__":
    sys.exit(main())
