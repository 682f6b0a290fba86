"""`hornbook curate` on a person's own corpus: its contract, its options, its complaints, and the rules explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hornbook.corpus.findings import KINDS
from hornbook.corpus.rules import RULES
from hornbook.records import Document, read_dataset
from runs import Command

MAIL = "mail = 'ann@web.de'\n"


def program(seed: int) -> str:
    """Valid Python of its own words."""
    return "".join(f"value_{seed}_{n} = {seed} + number_{n}\n" for n in range(40))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for seed in range(3):
        (folder / f"p{seed}.py").write_text(f"# SPDX-License-Identifier: MIT\n{program(seed)}{MAIL * (seed == 0)}")
    (folder / "copy.py").write_text(program(1))
    (folder / "bad.py").write_text("def broken(:\n" + program(9))
    return folder


def test_it_prints_its_contract(hornbook: Command, corpus: Path, tmp_path: Path) -> None:
    answer = hornbook("curate", corpus, "--out", tmp_path / "out", "--json").json
    assert answer["documents"] == 3
    assert answer["rejected"] == {"exact-duplicate": 1, "not-python": 1}
    assert answer["out"] == str(tmp_path / "out")
    assert (answer["read"], answer["redacted"], answer["license_headers_stripped"]) == (5, {"email": 1}, 3)
    rows = list(read_dataset(tmp_path / "out" / "documents", Document))
    assert {row.path: row.license for row in rows} == {f"p{n}.py": ["MIT"] for n in range(3)}
    assert not [row for row in rows if "SPDX" in row.text or "ann@" in row.text]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["rows_in"], manifest["rows_out"]) == (5, 3)


def test_people_are_shown_the_funnel(hornbook: Command, corpus: Path, tmp_path: Path) -> None:
    lines = hornbook("curate", corpus, "--out", tmp_path / "out").out.splitlines()
    words = [line.split() for line in lines]
    assert words[:3] == [["read", "5"], ["exact-duplicate", "-1"], ["not-python", "-1"]]
    assert words[3][:2] == ["documents", "3"]
    assert lines[4:] == ["taken out: license headers 3, email 1", "licences: MIT 3"]


def test_installed_python_is_read_where_no_path_is_named_or_when_asked_for(
    hornbook: Command, corpus: Path, tmp_path: Path
) -> None:
    def sources(*args: object) -> set[str]:
        answer = hornbook("curate", *args, "--out", tmp_path / str(len(list(tmp_path.iterdir()))), "--json").json
        return set(answer["documents_by_source"])

    assert sources("--packages", "iniconfig") == {"iniconfig"}
    assert sources(corpus, "--packages", "iniconfig") == {"iniconfig", "mine"}
    assert sources(corpus, "--packages", "iniconfig", "--no-python") == {"mine"}
    assert sources(corpus) == {"mine"}


def test_options_lie_upon_the_file_and_settings_upon_both(hornbook: Command, corpus: Path, tmp_path: Path) -> None:
    settings = tmp_path / "mine.yaml"
    settings.write_text("threshold: 0.7\nlimit: 4\nredact: [ip]\nmin_characters: 50\n")
    named = ["--config", settings, "--limit", 3, "--set", "min_characters=60", "--license", "permissive"]
    hornbook("curate", corpus, *named, "--out", tmp_path / "out", "--json")
    config = json.loads((tmp_path / "out" / "manifest.json").read_text())["config"]
    assert {name: config[name] for name in ("threshold", "limit", "redact", "min_characters", "licenses")} == {
        "threshold": 0.7,
        "limit": 3,
        "redact": ["ip"],
        "min_characters": 60,
        "licenses": ["permissive"],
    }


def test_what_a_killed_run_left_is_taken_up_by_the_same_request_alone(
    hornbook: Command, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hornbook.corpus import curate as room

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(room, "find_near", killed)
        stopped = hornbook("curate", corpus, "--out", tmp_path / "out")
    assert stopped.complaint(130) == "stopped; run the same command to go on"
    assert "unfinished work" in hornbook("curate", corpus, "--out", tmp_path / "out", "--threshold", 0.9).complaint(2)
    assert hornbook("curate", corpus, "--out", tmp_path / "out", "--json").json["documents"] == 3
    assert "not empty" in hornbook("curate", corpus, "--out", tmp_path / "out").complaint(2)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--license", "MTI"], 'did you mean "MIT"'),
        (["--threshold", "2"], "less than or equal to 1"),
        (["--set", "licences=[MIT]"], "unknown key 'licences'; did you mean 'licenses'?"),
        (["--set", "unknown_license=maybe"], "'keep' or 'refuse'"),
        (["--config", "{tmp}/bad.yaml"], "bad.yaml:2: unknown key 'redakt'; did you mean 'redact'?"),
        (["--config", "{tmp}/none.yaml"], "No such file"),
        (["{tmp}/nowhere"], "no such file or folder"),
    ],
)
def test_a_wrong_request_is_one_line(
    hornbook: Command, corpus: Path, tmp_path: Path, options: list[str], complaint: str
) -> None:
    (tmp_path / "bad.yaml").write_text("threshold: 0.9\nredakt: true\n")
    given = [option.replace("{tmp}", str(tmp_path)) for option in options]
    assert complaint in hornbook("curate", corpus, "--out", tmp_path / "out", *given).complaint(2)


def test_a_folder_must_be_named(hornbook: Command, corpus: Path) -> None:
    assert hornbook("curate", corpus).complaint(2) == "--out: name a new folder for what is made"


def test_nothing_left_is_one_line(hornbook: Command, corpus: Path, tmp_path: Path) -> None:
    refused = hornbook("curate", corpus, "--out", tmp_path / "out", "--license", "Zlib")
    assert "all 5 files were rejected (3 license, 1 " in refused.complaint(2)


def test_the_rules_are_explained_in_order(hornbook: Command) -> None:
    rules = hornbook("curate", "--explain-rules", "--json").json["rules"]
    names = [rule["reason"] for rule in rules]
    assert [name for name in names if name in RULES] == list(RULES)
    assert [rule["reason"] for rule in rules if rule["does"] == "redact"] == list(KINDS)
    assert [rule["reason"] for rule in rules if rule["does"] == "strip"] == ["license-header"]
    assert names[-3:] == ["license", "exact-duplicate", "near-duplicate"]
    assert names.index("license-header") < names.index("empty") < names.index("email") < names.index("not-python")
    assert all(len(rule["explanation"]) > 20 for rule in rules)
    settings = {name: value for rule in rules for name, value in rule["settings"].items()}
    thresholds = {"max_bytes", "min_characters", "max_line_length", "mean_line_length", "letter_share", "literal_share"}
    assert set(settings) == thresholds | {
        *("strip_license_headers", "redact", "licenses", "unknown_license"),
        *("threshold", "shingle_words", "bands", "rows"),
    }


def test_the_rules_are_explained_with_the_values_that_are_set(hornbook: Command) -> None:
    named = ["--set", "min_characters=7", "--set", "redact=[email]", "--threshold", 0.9]
    rules = hornbook("curate", "--explain-rules", "--json", *named).json["rules"]
    told = {rule["reason"]: rule for rule in rules}
    assert told["too-short"]["settings"] == {"min_characters": 7}
    assert told["near-duplicate"]["settings"]["threshold"] == 0.9
    assert [kind for kind in KINDS if told[kind]["on"]] == ["email"]
    assert (told["license"]["on"], told["license-header"]["on"]) == (False, True)
    text = hornbook("curate", "--explain-rules", *named).out
    assert "too-short         refuse  min_characters 7\n    There are fewer than `min_characters` characters." in text
    assert "ip                redact  off (redact ['email'])" in text
