"""Notices at the head of a file: which comments go, what stays around them, and the licences they name."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.headers import notice
from hornbook.corpus.rules import Cleaned, Cleaning, Refusal, clean
from hornbook.teacher.readings import text_digest

CODE = "import sys\n\nprint(sys.argv)\n"
APACHE = """\
# Copyright 2024 The Somebody Team. All rights reserved.
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
GPL = """\
# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU Lesser General Public License as published by
# the Free Software Foundation, either version 2.1 of the License, or
# (at your option) any later version.
"""


def stripped(text: str) -> tuple[str, tuple[str, ...]] | None:
    found = notice(text.split("\n"))
    return None if found is None else ("\n".join(found.lines), found.licenses)


@pytest.mark.parametrize(
    ("head", "left", "licenses"),
    [
        (APACHE + "\n", "", ("Apache-2.0",)),
        (GPL, "", ("LGPL-2.1-or-later",)),
        ("# SPDX-License-Identifier: MIT\n", "", ("MIT",)),
        ("# SPDX-License-Identifier: mit or (apache-2.0 AND bsd-3-clause)\n", "", ("Apache-2.0", "BSD-3-Clause", "MIT")),
        ("# Copyright (c) 2019, Ann Lee <ann@web.de>\n", "", ()),
        ("# (c) 2019 Ann Lee\n# Author: Ann Lee\n# License: BSD 3-Clause\n\n", "", ("BSD-3-Clause",)),
        ("# Released under the MIT license, see LICENSE.\n", "", ("MIT",)),
        ("# This Source Code is subject to the Mozilla Public License, v. 2.0.\n", "", ("MPL-2.0",)),
        ("# Use of this source code is governed by a BSD-style license.\n", "", ()),
        ("#" * 40 + "\n# Copyright 2001 by Ann\n" + "#" * 40 + "\n\n", "", ()),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# Copyright 2001 Ann\n", "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n", ()),
        ("# Sorts words.\n#\n# Copyright 2001 Ann\n", "# Sorts words.\n\n", ()),
        ("# Copyright 2001 Ann\n#\n# Sorts words.\n\n", "# Sorts words.\n\n", ()),
        ("# One.\n\n# Copyright 2001 Ann\n\n# Two.\n", "# One.\n\n# Two.\n", ()),
        ("# Copyright 2001 Ann\n\n# mypy: ignore-errors\n", "# mypy: ignore-errors\n", ()),
    ],
)  # fmt: skip
def test_notices_go_and_all_else_stays(head: str, left: str, licenses: tuple[str, ...]) -> None:
    assert stripped(head + CODE) == (left + CODE, licenses)


@pytest.mark.parametrize(
    "head",
    [
        "",
        "# Sorts words by their licence plates.\n",
        "# This module shows how the notices of every installed package are collected and printed as one license page.\n",
        "# A binary tree that permits duplicates: see insert() for what copying a node costs.\n",
        "# Copyright detection works by hashing paragraphs, comparing buckets, then ranking candidates.\n",
        '"""Copyright 2001 Ann. Released under the MIT license."""\n',
        "#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n",
        "x = 1  # Copyright 2001 Ann\n",
        "x = 1\n# Copyright 2001 Ann\n",
        "# /// script\n# dependencies = []\n# ///\n",
        "# Author: Ann Lee\n",
        "# author, version, license, and long description\n",
        "# Copy file permissions\n",
    ],
)
def test_what_is_no_notice_stays(head: str) -> None:
    assert stripped(head + CODE) is None


def test_a_notice_of_which_only_a_part_teaches_stays_whole() -> None:
    head = "# Copyright 2001 Ann\n# Walks the tree twice: once to count the leaves, then to place every node beneath them.\n"
    assert stripped(head + CODE) is None


def test_a_document_carries_the_licence_and_what_was_taken_out() -> None:
    made = clean((APACHE + CODE).encode(), "a.py", Cleaning(min_characters=1))
    assert isinstance(made, Cleaned)
    assert (made.text, made.licenses) == (CODE, ("Apache-2.0",))
    assert made.notes["license_header"] > 500
    assert made.notes["original"] == text_digest(APACHE + CODE)


def test_a_header_can_be_left_in_place_and_is_read_all_the_same() -> None:
    made = clean((APACHE + CODE).encode(), "a.py", Cleaning(min_characters=1, strip_license_headers=False))
    assert made == Cleaned(APACHE + CODE, ("Apache-2.0",))


def test_a_file_with_nothing_but_a_notice_is_empty() -> None:
    made = clean(APACHE.encode(), "a.py", Cleaning())
    assert isinstance(made, Refusal)
    assert made.reason == "empty"


def test_other_texts_keep_theirs() -> None:
    made = clean(APACHE.encode(), "a.md", Cleaning())
    assert made == Cleaned(APACHE)


LINES = st.sampled_from(
    [*APACHE.splitlines(), *GPL.splitlines(), "", "#", "####", "# Sorts words.", "#!/bin/sh", "# coding: utf-8", "x = 1", '"""Doc."""', "# © 2001 Ann"]
)  # fmt: skip


@given(st.lists(LINES, max_size=12))
def test_only_comments_go_and_only_once(lines: list[str]) -> None:
    found = notice(lines)
    if found is None:
        return
    assert [line for line in found.lines if line.strip() and not line.startswith("#")] == [
        line for line in lines if line.strip() and not line.startswith("#")
    ]
    kept = [line for line in found.lines if any(map(str.isalnum, line))]
    remaining = iter(lines)
    assert all(line in remaining for line in kept)  # in the same order
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return
    ast.parse("\n".join(found.lines))
