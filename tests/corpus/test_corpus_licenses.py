"""What a distribution says, in the words found in the wild, and the SPDX ids it means."""

from pathlib import Path

import pytest

from hornbook.corpus.licenses import from_classifiers, from_expression, from_name, from_text, spdx
from hornbook.corpus.sources import installed

MIT_TEXT = """MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy ...
The above copyright notice and this permission notice shall be included in all\ncopies ..."""
BSD_TEXT = """Redistribution and use in source and binary forms, with or without modification, are permitted ...
Redistributions in binary form must reproduce the above copyright notice ..."""


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("MIT", ["MIT"]),
        ("MIT License", ["MIT"]),
        ("The MIT License", ["MIT"]),
        ("Apache", ["Apache-2.0"]),
        ("Apache 2.0", ["Apache-2.0"]),
        ("Apache License, Version 2.0", ["Apache-2.0"]),
        ("Apache-2.0", ["Apache-2.0"]),
        ("BSD 2-Clause License", ["BSD-2-Clause"]),
        ("BSD 3-Clause", ["BSD-3-Clause"]),
        ("New BSD License", ["BSD-3-Clause"]),
        ("ISC License", ["ISC"]),
        ("PSF", ["PSF-2.0"]),
        ("MPL-2.0 AND MIT", ["MIT", "MPL-2.0"]),
        ("BSD", []),
        ("see LICENSE", []),
        ("", []),
    ],
)
def test_names(name: str, ids: list[str]) -> None:
    assert from_name(name) == ids


def test_expressions() -> None:
    assert from_expression("MIT") == ["MIT"]
    assert from_expression("Apache-2.0 OR BSD-2-Clause") == ["Apache-2.0", "BSD-2-Clause"]
    assert from_expression("(MIT AND Zlib) or 0BSD") == ["0BSD", "MIT", "Zlib"]
    assert from_expression("") == []


@pytest.mark.parametrize(
    ("classifier", "ids"),
    [
        ("License :: OSI Approved :: MIT License", ["MIT"]),
        ("License :: OSI Approved :: Apache Software License", ["Apache-2.0"]),
        ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", ["MPL-2.0"]),
        ("License :: OSI Approved :: ISC License (ISCL)", ["ISC"]),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", ["GPL-3.0-or-later"]),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", ["LGPL-3.0-only"]),
        ("License :: OSI Approved :: Python Software Foundation License", ["PSF-2.0"]),
        ("License :: OSI Approved :: The Unlicense (Unlicense)", ["Unlicense"]),
        ("License :: OSI Approved :: BSD License", []),
        ("License :: OSI Approved", []),
        ("Programming Language :: Python", []),
    ],
)
def test_classifiers(classifier: str, ids: list[str]) -> None:
    assert from_classifiers([classifier]) == ids


def test_texts() -> None:
    assert from_text(MIT_TEXT) == ["MIT"]
    assert from_text(BSD_TEXT) == ["BSD-2-Clause"]
    assert from_text(BSD_TEXT + "Neither the name\nof the copyright holder ...") == ["BSD-3-Clause"]
    assert from_text("All rights reserved.") == []


def distribution(folder: Path, metadata: str, license: str = "") -> list[str]:
    """The ids of a made-up distribution."""
    from importlib.metadata import PathDistribution

    info = folder / "thing-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\nVersion: 1\n{metadata}\n")
    (info / "LICENSE").write_text(license)
    (info / "RECORD").write_text("thing-1.dist-info/LICENSE,,\nthing.py,,\n")
    return spdx(PathDistribution(info))


def test_the_expression_comes_first(tmp_path: Path) -> None:
    assert distribution(tmp_path, "License-Expression: MIT\nLicense: Apache 2.0") == ["MIT"]


def test_bsd_is_settled_by_the_licence_file(tmp_path: Path) -> None:
    assert distribution(tmp_path, "License: BSD\nClassifier: License :: OSI Approved :: BSD License", BSD_TEXT) == [
        "BSD-2-Clause"
    ]


def test_a_licence_field_that_holds_the_whole_text(tmp_path: Path) -> None:
    assert distribution(tmp_path, "License: " + " ".join(MIT_TEXT.split())) == ["MIT"]


def test_no_claim_is_unknown(tmp_path: Path) -> None:
    assert distribution(tmp_path, "Summary: nothing") == []


def test_an_installed_distribution() -> None:
    assert spdx(installed()["pytest"]) == ["MIT"]
