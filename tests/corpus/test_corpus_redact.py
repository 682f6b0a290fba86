"""What is redacted, what only looks like it and stays, and what must hold whatever the text.

Tokens are put together from parts, so that no scanner takes this file for a leak.
"""

import ast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.corpus import redact as room
from hornbook.corpus.findings import KINDS, Kind
from hornbook.corpus.redact import FINDERS, find, replaced, suspects
from hornbook.corpus.rules import Cleaned, Cleaning, clean
from hornbook.corpus.secrets import looks_random

MIXED = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb7c"  # 36 characters
AWS_ID, AWS_SECRET = "AKIA" + "Q2W3E4R5T6Y7U2I3", "aB3/dE6+gH9iJ2kL5mN8oP1qR4sT7uV0wX3yZ6aB"
JWT = "eyJ" + MIXED[:20] + ".eyJ" + MIXED + "." + MIXED
BODY = "MIIEowIBAAKCAQEAx3Jk0aQwZ\nq8vP2mN5rT7yU1iO4pA6sD9fG\n"


def redact(text: str, *kinds: Kind) -> str:
    return room.redact(text, kinds or KINDS)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # e-mail
        ("# Written by Ann <ann.lee+x@mail.python.org>", "# Written by Ann <<EMAIL>>"),
        ("to='a_b@web.de', cc='c@web.de'", "to='<EMAIL>', cc='<EMAIL>'"),
        ("mailto ann@python.org.", "mailto <EMAIL>."),
        # machines
        ("host = '81.2.69.142'", "host = '<IP_ADDRESS>'"),
        ("81.2.69.142:8080", "<IP_ADDRESS>:8080"),
        ("at 2a00:1450:4001:81b::200e now", "at <IP_ADDRESS> now"),
        # passwords in URLs
        ("postgres://ann:s3cr3tpw@db.web.de:5432/x", "postgres://ann:<PASSWORD>@db.web.de:5432/x"),
        ("redis://u:hunter22@cache:6379", "redis://u:<PASSWORD>@cache:6379"),
        # tokens of a fixed form
        (f"x = '{'ghp_' + MIXED}'", "x = '<KEY>'"),
        (f"{'glpat-' + MIXED[:20]}", "<KEY>"),
        (f"{'xox' + 'b-123456789012-' + MIXED}", "<KEY>"),
        (f"{'sk_' + 'live_' + MIXED[:24]}", "<KEY>"),
        (f"{'AIza' + MIXED[:35]}", "<KEY>"),
        (f"{'sk-' + 'proj-' + MIXED}", "<KEY>"),
        (f"Bearer {JWT}", "Bearer <KEY>"),
        (f"{'npm_' + MIXED}", "<KEY>"),
        (f"{'pypi-' + 'AgEIcHlwaS5vcmc' + MIXED * 2}", "<KEY>"),
        (f"{'hf_' + MIXED[:34]}", "<KEY>"),
        (f"https://hooks.slack.com/services/T{'A1B2C3D4'}/B{'A1B2C3D4'}/{MIXED[:24]}", "https://<KEY>"),
        (f"id = {AWS_ID}\nother = {AWS_SECRET}", "id = <KEY>\nother = <KEY>"),
        # random strings under a telling name
        ("api_key = 'q7Zp0xLw93KdVb2R'", "api_key = '<KEY>'"),
        ('{"client_secret": "9f8c7b6a5d4e3f2a1b0c9d8e7f6a5b4c"}', '{"client_secret": "<KEY>"}'),
        ("token: str = b'q7Zp0xLw93KdVb2R'", "token: str = b'<KEY>'"),
        ("login(password='q7Zp0xLw93KdVb2R')", "login(password='<KEY>')"),
        # private keys
        (
            f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\n<KEY>\n-----END RSA PRIVATE KEY-----",
        ),
        (
            f"'-----BEGIN PRIVATE KEY-----\\n'\n'{MIXED}\\n'\n'-----END PRIVATE KEY-----'",
            "'-----BEGIN PRIVATE KEY-----\\n'\n'<KEY>\\n'\n'-----END PRIVATE KEY-----'",
        ),
        (f"'-----BEGIN PRIVATE KEY-----\\n{MIXED}==\\n-----END PRIVATE KEY-----'", None),
    ],
)
def test_it_goes(text: str, expected: str | None) -> None:
    if expected is None:
        expected = "'-----BEGIN PRIVATE KEY-----\\n<KEY>\\n-----END PRIVATE KEY-----'"
    assert redact(text) == expected
    assert suspects(pa.array([text.encode()], pa.large_binary())) == [True]


@pytest.mark.parametrize(
    "text",
    [
        # not of a person
        "@app.route('/x')",
        "    @functools.wraps.there",
        "c = w@x.T",
        "ann@host:~$ ls",
        "git@github.com:ann/repo.git",
        "ssh://ann@github.com/repo",
        "ann@example.com, bob@mail.example.org, x@y.example, z@here.invalid, me@box.local",
        "logo@2x.png and left-pad@1.3.0",
        "Message-ID: <15090.61304.110929.45684@mail.python.org>",
        "f'{user}@python.org'",
        # no address of one public machine
        "127.0.0.1 10.1.2.3 192.168.77.88 172.16.99.99 169.254.77.1 192.0.2.81 198.51.100.99 203.0.113.77 224.0.77.88",
        "8.8.8.8 1.1.1.1 208.67.222.222",
        "__version__ = '81.2.69.142'",
        "requires foo==81.2.69.142, version 81.2.69.142",
        "oid 2.5.29.17 and section 8.2.4.45",
        "81.2.69.0 81.2.69.142/24 1.81.2.69.142 81.2.69.142.3 81.2.69.142-rc1 v81.2.69.142",
        "300.2.69.142",
        "::1 fe80::77:88 2001:db8::81 fd00::81 a[1::2] 12:34:56 2024:01:02",
        # passwords that are none
        "https://user:password@host.org/ ftp://me:my_secret@host.org s://u:${PW}@host.org s://u:{pw}@host.org",
        "amqp://guest:q7Zp0x@broker.example.com",
        "github://org:repo@sha/file",
        # tokens that are none
        "ghp_" + "x" * 36,
        "AKIAIOSFODNN7EXAMPLE",
        "class sk-estimator-doc-link-with-a-rather-long-name",
        "_" + "ghp_" + MIXED,
        "ghp_" + MIXED[:20],
        # strings that are not random, or of no telling name
        "secret_name = 'default_token_for_tests_2'",
        "password = 'correct horse battery staple 1 2'",
        "api_key = 'your-api-key-goes-here-12345'",
        "token = '0123456789abcdef'",
        "sha256 = '9f8c7b6a5d4e3f2a1b0c9d8e7f6a5b4c'",
        "audio_tokenizer_class = 'HiggsAudioV2TokenizerModel'",
        "publicKeyToken='1fc8b3b9a1e18e3b'",
        "pad_token = '<|endoftext|>'",
        # keys that are public, or only spoken of
        f"-----BEGIN PUBLIC KEY-----\n{BODY}-----END PUBLIC KEY-----",
        "the line -----BEGIN PRIVATE KEY----- begins and -----END PRIVATE KEY----- ends it",
    ],
)
def test_it_stays(text: str) -> None:
    assert redact(text) == text


def test_only_the_kinds_that_are_asked_for_go() -> None:
    text = "ann@python.org at 81.2.69.142"
    assert redact(text, "ip") == "ann@python.org at <IP_ADDRESS>"
    assert redact(text, "email") == "<EMAIL> at 81.2.69.142"


def test_a_token_under_a_telling_name_is_counted_once_as_a_token() -> None:
    text = f"github_token = '{'ghp_' + MIXED}'"
    assert [one.kind for one in find(text, KINDS)] == ["token"]


def test_a_hash_is_not_the_secret_of_a_key_beside_it() -> None:
    text = f"{AWS_ID} {'0123456789abcdef' * 2}01234567"
    assert redact(text) == f"<KEY> {'0123456789abcdef' * 2}01234567"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("q7Zp0xLw93KdVb2R", True),
        ("9f8c7b6a5d4e3f2a1b0c9d8e7f6a5b4c", True),
        ("abcdefghijklmnop", False),  # no digit
        ("1234567890123456", False),  # no letter
        ("a1a1a1a1a1a1a1a1", False),  # one bit a character
        ("ThisIsNotASecret1", False),  # one digit
    ],
)
def test_what_looks_random(value: str, expected: bool) -> None:
    assert looks_random(value) is expected


def cleaned(text: str, **limits: object) -> Cleaned:
    made = clean(text.encode(), "a.py", Cleaning.model_validate({"min_characters": 1, **limits}))
    assert isinstance(made, Cleaned)
    return made


def test_a_matrix_product_is_not_broken_by_the_address_beside_it() -> None:
    made = cleaned("y = w@x.name  # ask ann@web.de\n")
    assert made.text == "y = w@x.name  # ask <EMAIL>\n"
    assert made.notes["redacted"] == {"email": 1}


def test_code_within_an_f_string_is_not_broken() -> None:
    made = cleaned("y = f'{w@x.name}'; z = 'ann@web.de'\n")
    assert made.text == "y = f'{w@x.name}'; z = '<EMAIL>'\n"


def test_line_feeds_of_other_kinds_do_not_move_what_is_found() -> None:
    made = cleaned("a = '\u2028\x0c'  # \x0c\ny = w@x.name  # ann@web.de\n")
    assert made.text == "a = '\u2028\x0c'  # \x0c\ny = w@x.name  # <EMAIL>\n"


def test_redaction_can_be_left_out_or_chosen() -> None:
    text = "a = 'ann@web.de at 81.2.69.142'\n"
    assert cleaned(text, redact=False) == Cleaned(text)
    assert cleaned(text, redact=["ip"]).text == "a = 'ann@web.de at <IP_ADDRESS>'\n"


PIECES = st.sampled_from(
    [
        *("ann@web.de", "w@x.name", "81.2.69.142", "2a00:1450:4001:81b::200e", "s://u:q7Zp0xLw@h.org", "ghp_" + MIXED),
        *(
            "api_key = 'q7Zp0xLw93KdVb2R'",
            AWS_ID,
            AWS_SECRET,
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
        ),
        *(
            BODY,
            MIXED,
            "@",
            ".",
            ":",
            "'",
            '"',
            "#",
            "\n",
            " ",
            "=",
            "\\n",
            "x",
            "7",
            "<KEY>",
            "f'{",
            "}'",
            "é",
            "/",
            "-",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_redaction_is_idempotent_changes_nothing_else_and_finds_nothing_unsuspected(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    found = find(text, KINDS)
    rest, at = [], 0
    for one in found:
        assert at <= one.start < one.end
        rest += [text[at : one.start], one.placeholder]
        at = one.end
    assert replaced(text, found) == "".join([*rest, text[at:]])
    assert (once == text) == (not found)
    if found:
        assert suspects(pa.array([text.encode()], pa.large_binary())) == [True]


@pytest.mark.filterwarnings("ignore:invalid escape")
@given(
    st.lists(TEXTS, max_size=5), st.sampled_from(["# {}\n", "a = '''{}'''\n", "y = {}\n", "y = f'''{}'''\n", "{}\n"])
)
@settings(max_examples=400, deadline=None)
def test_what_parsed_still_parses(texts: list[str], frame: str) -> None:
    program = "x = 1\n" + "".join(frame.format(text) if "{}" in frame else text for text in texts)
    try:
        ast.parse(program)
    except (SyntaxError, ValueError):
        return
    made = clean(program.encode(), "a.py", Cleaning(min_characters=1))
    if isinstance(made, Cleaned):
        ast.parse(made.text)
    else:
        assert made.reason != "not-python"


def test_nothing_is_suspected_where_there_is_nothing() -> None:
    assert suspects(pa.array([b"def f(x):\n    return x.y @ 2\n", None, b"\xff\xfe"], pa.large_binary())) == [False] * 3


def test_every_kind_has_a_finder_that_explains_itself() -> None:
    assert tuple(FINDERS) == KINDS
    assert all(finder.__doc__ for finder in FINDERS.values())
