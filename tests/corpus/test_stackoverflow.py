"""Posts become pages: the right answers in the right order, their licences, and a reason for all that is left out."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import Ledger
from hornbook.corpus import spool, stackoverflow
from hornbook.corpus.curate import Curate, curate
from hornbook.corpus.gather import unpack_all
from hornbook.corpus.markdown import markdown
from hornbook.corpus.rules import Cleaning, Refusal
from hornbook.corpus.sources import Item
from hornbook.corpus.spool import Spool
from hornbook.corpus.stackoverflow import StackOverflow
from hornbook.corpus.tables import Columns
from hornbook.records import Document, Rejected, read_dataset

LIMITS = Cleaning(min_characters=10)
Found = dict[str, bytes | Refusal]


def post(id: int, kind: int = 1, **more: Any) -> dict[str, Any]:
    score = {"Score": 5, "Body": f"<p>Body of {id}.</p>", "CreationDate": "2019-03-01T10:00:00.000"}
    question = {"Title": f"Title {id}", "Tags": "<python><list>"} if kind == 1 else {}
    return {"Id": id, "PostTypeId": kind, **score, **question, **more}


def answer(id: int, question: int, votes: int = 5, **more: Any) -> dict[str, Any]:
    return post(id, 2, ParentId=question, Score=votes, **more)


def xml(rows: list[dict[str, Any]]) -> str:
    lines = [
        "  <row " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in row.items()) + " />" for row in rows
    ]
    return '<?xml version="1.0" encoding="utf-8"?>\n<posts>\n' + "\n".join(lines) + "\n</posts>"


def pages(folder: Path, *names: str, **settings: Any) -> list[tuple[Item, bytes | Refusal]]:
    tables = [Item(str(folder / name), "site", name) for name in names or ("Posts.xml",)]
    with Spool(folder / "spool") as place:
        return list(unpack_all(tables, LIMITS, Columns(), StackOverflow(**settings), place))


def reasons(folder: Path, *names: str, **settings: Any) -> dict[str, str]:
    made = pages(folder, *names, **settings)
    return {item.path: data.reason if isinstance(data, Refusal) else "" for item, data in made}


def test_a_page_holds_the_accepted_answer_first_then_the_best(tmp_path: Path) -> None:
    rows = [
        post(10, AcceptedAnswerId=13, Score=4),
        answer(11, 10, 2),
        answer(12, 10, 9),
        answer(13, 10, -1),
        answer(14, 10, 0),
        answer(15, 10, 1),
    ]
    (tmp_path / "Posts.xml").write_text(xml(rows))
    ((item, data),) = pages(tmp_path)
    assert (item.source, item.path, item.license) == ("site", "questions/10", ("CC-BY-SA-4.0",))
    assert data == (
        b"# Title 10\n\nBody of 10.\n\n## Answer (accepted, -1 votes)\n\nBody of 13.\n\n"
        b"## Answer (9 votes)\n\nBody of 12.\n\n## Answer (2 votes)\n\nBody of 11.\n"
    )
    assert json.loads(item.metadata) == {"votes": 4, "accepted": True, "answers": 5, "tags": ["python", "list"]}


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    rows = [
        post(1, Tags="|c#|"),
        post(2, Tags="|python-3.x|list|"),
        answer(3, 2),
        post(4, Score=1),
        answer(5, 4, 1),
        post(6, Score=0),
        answer(7, 6),
        post(8),
        answer(9, 8, 0),
        answer(10, 999),
        post(11, 5),
        {"PostTypeId": 1, "Body": "x"},
        {**post(12), "Id": "twelve"},
        post(13, Body="x" * 150_001),
        post(2, Title="again"),
    ]
    (tmp_path / "Posts.xml").write_text(xml(rows))
    assert reasons(tmp_path) == {
        "questions/1": "other-tags",
        "questions/2": "",
        "questions/4": "",
        "questions/6": "few-votes",
        "questions/8": "unanswered",
        "answers/10": "no-question",
        "Posts.xml:11": "other-post",
        "Posts.xml:12": "unreadable",
        "Posts.xml:13": "unreadable",
        "Posts.xml:14": "too-large",
    } | {"questions/2": ""}
    assert len(pages(tmp_path)) == 11  # the second question 2 is an exact duplicate


def test_settings_decide(tmp_path: Path) -> None:
    rows = [post(1, AcceptedAnswerId=2), answer(2, 1, 0), answer(3, 1, 7), post(4, Tags="<c>"), answer(5, 4, 7)]
    (tmp_path / "Posts.xml").write_text(xml(rows))
    assert reasons(tmp_path, tags=[]) == {"questions/1": "", "questions/4": ""}
    assert reasons(tmp_path, tags=[], accepted_only=True) == {"questions/1": "", "questions/4": "unanswered"}
    assert reasons(tmp_path, tags=["c"], min_votes=6) == {"questions/1": "other-tags", "questions/4": "few-votes"}
    text = {item.path: data for item, data in pages(tmp_path, max_answers=1, tags=[])}["questions/1"]
    assert isinstance(text, bytes)
    assert b"Body of 2" in text
    assert b"Body of 3" not in text


@pytest.mark.parametrize(
    ("day", "license"),
    [
        ("2011-04-07T23:59:59", "CC-BY-SA-2.5"),
        ("2011-04-08T00:00:00", "CC-BY-SA-3.0"),
        ("2018-05-01T23:59:59", "CC-BY-SA-3.0"),
        ("2018-05-02T00:00:00", "CC-BY-SA-4.0"),
    ],
)
def test_the_licence_follows_the_day(day: str, license: str) -> None:
    assert stackoverflow.license_of({"creationdate": day}) == license
    assert stackoverflow.license_of({"creationdate": day, "contentlicense": "CC BY-SA 3.0"}) == "CC-BY-SA-3.0"
    assert stackoverflow.license_of({"creationdate": None}) == ""


def test_a_page_lists_the_licences_of_all_its_posts(tmp_path: Path) -> None:
    rows = [post(1, CreationDate="2010-01-01T00:00:00"), answer(2, 1)]
    (tmp_path / "Posts.xml").write_text(xml(rows))
    assert pages(tmp_path)[0][0].license == ("CC-BY-SA-2.5", "CC-BY-SA-4.0")


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")


@pytest.mark.parametrize("spelling", [str, str.lower, snake], ids=["Camel", "lower", "snake_case"])
@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_table_of_posts_makes_the_same_pages(tmp_path: Path, spelling: Any, ending: str) -> None:
    rows = [post(1, AcceptedAnswerId=3, Tags=["python"]), answer(2, 1), answer(3, 1)]
    (tmp_path / "Posts.xml").write_text(xml([{**rows[0], "Tags": "<python>"}, *rows[1:]]))
    named = [{spelling(name): value for name, value in row.items()} for row in rows]
    if ending == "parquet":
        every = dict.fromkeys(name for row in named for name in row)
        pq.write_table(
            pa.Table.from_pylist([{name: row.get(name) for name in every} for row in named]), tmp_path / "p.parquet"
        )
    else:
        (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, named)))
    ((item, data),) = pages(tmp_path, f"p.{ending}")
    ((other, same),) = pages(tmp_path)
    assert data == same
    assert (item.path, item.license, item.metadata) == (other.path, other.license, other.metadata)


def test_answers_may_come_first_and_from_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stackoverflow, "POSTS_AT_ONCE", 2)
    monkeypatch.setattr(stackoverflow, "BUCKET_BYTES", 500)
    monkeypatch.setattr(spool, "WAITING_BYTES", 100)
    rows = [post(n) for n in range(1, 30)] + [answer(100 + n, n) for n in range(1, 30)]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Posts.xml").write_text(xml(rows[::-2]))
    (tmp_path / "Posts.xml").write_text(xml(rows[-2::-2]))
    made = reasons(tmp_path, "a/Posts.xml", "Posts.xml")
    assert made == {f"questions/{n}": "" for n in range(1, 30)}


BOMB = '<?xml version="1.0"?><!DOCTYPE posts [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;">]><posts><row Id="1" Body="&b;"/></posts>'
WHOLE = xml([post(1), answer(2, 1)])


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (BOMB.encode(), "it declares a document type"),
        (b"<rss><item/></rss>", "not a dump of posts: it holds <rss>"),
        (WHOLE.encode("utf-16-le"), ""),
        (WHOLE.replace("utf-8", "no-such").encode(), "unknown encoding"),
        (b"", "no element found"),
        (WHOLE.encode()[:-8], "no element found"),
        (WHOLE.replace("Body of 2", "caf\xe9 of 2").encode("latin-1"), "not well-formed"),
    ],
    ids=["bomb", "other", "utf-16", "encoding", "empty", "cut", "latin"],
)
def test_damaged_xml_is_one_refusal(tmp_path: Path, data: bytes, detail: str) -> None:
    (tmp_path / "Posts.xml").write_bytes(data)
    refusals = [why for _, why in pages(tmp_path) if isinstance(why, Refusal) and why.reason == "unreadable"]
    assert len(refusals) == 1
    assert detail in refusals[0].detail


def test_posts_before_the_damage_are_kept(tmp_path: Path) -> None:
    rows = [row for n in range(1, 2000, 2) for row in (post(n), answer(n + 1, n))]
    text = xml(rows)
    (tmp_path / "Posts.xml").write_text(text[: len(text) // 2])
    made = reasons(tmp_path)
    assert list(made.values()).count("unreadable") == 1
    assert 450 < list(made.values()).count("") < 520


def test_a_row_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "Posts.xml").write_text('<posts><row Id="1" Body="' + "x" * 6_000_000)
    ((_, why),) = pages(tmp_path)
    assert why == Refusal("too-large", "a row longer than any allowed text", "")


def test_a_dump_in_a_folder_becomes_documents(tmp_path: Path) -> None:
    (tmp_path / "stackoverflow.com").mkdir()
    body = f"<p>{'Why does this list change when I change the other one? ' * 40}</p>"
    rows = [post(1, Body=body), answer(2, 1, Body="<pre><code>other = list(one)\n</code></pre>"), post(3, Tags="<c>")]
    (tmp_path / "stackoverflow.com" / "Posts.xml").write_text(xml(rows))
    ledger = Ledger()
    curate(
        Curate(python=False, paths=[str(tmp_path / "stackoverflow.com")], workers=1),
        out=tmp_path / "out",
        ledger=ledger,
    )
    (document,) = read_dataset(tmp_path / "out" / "documents", Document)
    (rejected,) = read_dataset(tmp_path / "out" / "rejected", Rejected)
    assert (document.source, document.path) == ("stackoverflow.com", "questions/1")
    assert document.license == ["CC-BY-SA-4.0"]
    assert "```\nother = list(one)\n```" in document.text
    assert max(map(len, document.text.split("\n"))) <= 100
    assert json.loads(document.metadata)["votes"] == 5
    assert rejected.detail == "stackoverflow.com:questions/3: its tags are c"
    assert ledger.rows_in == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>a &lt;b&gt; <strong>c</strong></p><p>d</p>", "a <b> c\n\nd"),
        ("<pre class='lang-py'><code>if x:\n    y &amp;= 1\n</code></pre>", "```\nif x:\n    y &= 1\n```"),
        ("<pre><code>a\n```\nb</code></pre>", "````\na\n```\nb\n````"),
        ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>", "- a\n\n- b\n\n   1. c\n\n   2. d"),
        ("<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>", "> a\n\n> > b"),
        ("<h1>a</h1>b<br/>c<hr/>d", "### a\n\nb\nc\n\nd"),
        ("<p>unclosed <b>bold <pre><code>x = 1", "unclosed bold\n\n```\nx = 1\n```"),
        ("Already *Markdown* with a <tag>", "Already *Markdown* with a <tag>"),
        ("<![odd <p>1 < 2 <!-- no --> text <", "<![odd\n\n1 < 2 text <"),
        ("<p>see <a href='u'>this</a> and <img alt='that'></p>", "see this and that"),
    ],
)
def test_html_becomes_markdown(body: str, text: str) -> None:
    assert markdown(body).strip() == text


def test_long_prose_is_wrapped_and_code_is_not() -> None:
    made = markdown(f"<p>{'word ' * 50}</p><pre><code>{'x' * 300}</code></pre>")
    assert [len(line) for line in made.split("\n")] == [99, 99, 49, 0, 3, 300, 3]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<!--",
        "<a ",
        "<p>",
        "</",
        "&",
        "<blockquote>",
        "<ul><li>",
        "<![",
        "<a b='",
        "<a b='>",
        "<script>",
        '<a b=">',
    ],
)
def test_no_body_takes_long(piece: str) -> None:
    markdown(("<p>" + piece * 150_000)[:150_000])
