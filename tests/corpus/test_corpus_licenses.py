"""What a distribution says, in the words found in the wild, and the SPDX ids it means."""

from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression

from hornbook.corpus.licenses import (
    PERMISSIVE,
    allowed_ids,
    from_classifiers,
    from_expression,
    from_name,
    from_notice,
    from_text,
    not_allowed,
    spdx,
)
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
    assert from_expression("LGPL-2.1-or-later AND GPL-2.0-or-later") == ["GPL-2.0-or-later", "LGPL-2.1-or-later"]


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


@pytest.mark.parametrize(
    ("notice", "ids"),
    [
        ("SPDX-License-Identifier: MIT", ["MIT"]),
        ("SPDX-License-Identifier: GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only WITH Classpath-exception-2.0"]),
        ("SPDX-License-Identifier: MIT\nLicensed under the Apache License, Version 2.0", ["MIT"]),  # the tag is exact
        ("GNU General Public License version 3", ["GPL-3.0-only"]),
        ("GNU General Public License v2 or later", ["GPL-2.0-or-later"]),
        ("GNU Affero General Public\nLicense as published ..., either version 3 of the License, or any later version", ["AGPL-3.0-or-later"]),
        ("GNU Library General Public License version 2", ["LGPL-2.0-only"]),
        ("GNU General Public License", []),
        ("License: BSD 3-Clause", ["BSD-3-Clause"]),
        ("License: MIT", ["MIT"]),
        ("Licensed under the Apache license, see NOTICE", ["Apache-2.0"]),
        ("Licensed under a BSD-style license", []),
        ("Licensed to PSF under a Contributor Agreement.", []),
        ("Copyright 2001 Ann", []),
        (MIT_TEXT, ["MIT"]),
    ],
)  # fmt: skip
def test_notices(notice: str, ids: list[str]) -> None:
    assert from_notice(notice) == ids


@pytest.mark.parametrize(
    ("licenses", "allowed", "wrong"),
    [
        (["MIT"], ["MIT"], []),
        (["mit"], ["MIT"], []),
        (["MIT"], ["mit"], []),
        (["MIT", "Zlib"], ["MIT"], ["Zlib"]),
        (["MIT OR GPL-3.0-only"], ["MIT"], ["GPL-3.0-only"]),  # errs on the safe side, as `spdx` says
        (["GPL-3.0"], ["GPL-3.0-only"], []),
        (["GPL-3.0+"], ["GPL-3.0-only"], ["GPL-3.0+"]),
        (["LGPL-2.1+"], ["LGPL-2.1-or-later"], []),
        (["Apache-2.0 WITH LLVM-exception"], ["Apache-2.0"], []),
        (["MIT", "0BSD", "PSF-2.0", "Apache-2.0"], ["permissive"], []),
        (["MPL-2.0", "LGPL-3.0-only", "EPL-2.0", "CC-BY-SA-4.0", "GPL-2.0-or-later"], ["permissive"], 5),
        (["MPL-2.0", "MIT"], ["Permissive", "MPL-2.0"], []),
        (["see LICENSE"], ["permissive"], ["see LICENSE"]),
        ([], ["MIT"], []),  # whether an unknown licence passes is another setting
    ],
)
def test_the_gate(licenses: list[str], allowed: list[str], wrong: list[str] | int) -> None:
    found = not_allowed(licenses, allowed_ids(allowed))
    assert (len(found) if isinstance(wrong, int) else found) == wrong


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("MTI", '"MTI" is no SPDX licence id and no group .permissive.; did you mean "MIT"'),
        ("Apache 2.0", 'did you mean "Apache-2.0"'),
        ("permisive", 'did you mean "permissive"'),
        ("", "is no SPDX licence id"),
    ],
)
def test_an_unknown_name_in_the_list_is_refused_with_a_suggestion(name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        allowed_ids(["MIT", name])


def test_every_permissive_licence_is_an_spdx_id_and_none_is_copyleft() -> None:
    assert all(canonicalize_license_expression(id) == id for id in PERMISSIVE)
    assert len(PERMISSIVE) > 80
    assert not [
        id for id in PERMISSIVE if "GPL-" in id.replace("-GPL-", "") or id.startswith(("MPL", "EPL", "CC-BY-SA"))
    ]
