"""StackOverflow and its sisters: from a dump of posts to one page for each question with its best answers.

Posts come as Posts.xml of the public data dump, or as a table with the same columns in any spelling (`PostTypeId`,
`post_type_id`). Answers may stand far from their question, so posts are first put on disk, in buckets by their
question, and then joined a bucket at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from xml.parsers import expat

import pyarrow as pa
from pydantic import Field

from hornbook.config import Config
from hornbook.corpus.markdown import markdown
from hornbook.corpus.rules import Cleaning, Refusal, excerpt
from hornbook.corpus.sources import POSTS_ENDINGS, Item
from hornbook.corpus.spool import Buckets
from hornbook.corpus.streams import DAMAGE, Swollen, opened
from hornbook.corpus.tables import (
    HOPELESS,
    LINE_FACTOR,
    NO_ROWS,
    Columns,
    Patience,
    metadata_of,
    table_columns,
    table_rows,
)
from hornbook.records import STRINGS

QUESTION, ANSWER = 1, 2
BUCKET_BYTES = 64 << 20  # of the files read, that make another bucket
MOST_BUCKETS = 400
POSTS_AT_ONCE = 256
BODY_BYTES = 150_000  # the site allows 30,000 characters, and HTML has marks and escapes besides
TAG = r"^[^<>|\s,;]+$"
CHUNK_BYTES = 1 << 16
MOST = 1 << 62  # numbers beyond are damage

# The licence of a post by the day it was written, where the dump does not say (stackoverflow.com/help/licensing).
LICENSES = (("2018-05-02", "CC-BY-SA-4.0"), ("2011-04-08", "CC-BY-SA-3.0"), ("0000-00-00", "CC-BY-SA-2.5"))

POSTS = pa.schema(
    [
        ("source", pa.string()),
        ("question", pa.int64()),
        ("id", pa.int64()),
        ("kind", pa.int8()),
        ("accepted", pa.int64()),  # the id of the accepted answer; 0: none
        ("votes", pa.int64()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("tags", STRINGS),
        ("license", pa.string()),
    ]
)
NEEDED = {"id", "posttypeid", "body"}  # a table that has these, in any spelling, holds posts
WANTED = NEEDED | {"parentid", "acceptedanswerid", "score", "title", "tags", "contentlicense", "creationdate"}


class StackOverflow(Config):
    """Which questions become pages. phi-1 took StackOverflow's Python part.

    `tags`: a question must have one of these, or one that begins with it and a hyphen (`python-3.x`); empty: any.
    `min_votes`: the least of a question, and of an answer that was not accepted. `accepted_only`: take only the answer
    that was accepted. `max_answers`: of a page, the accepted one first, then those with the most votes.
    """

    tags: list[Annotated[str, Field(pattern=TAG)]] = Field(default_factory=lambda: ["python"])
    min_votes: int = 1
    accepted_only: bool = False
    max_answers: int = Field(default=3, ge=1)


# Why a post is left out, besides the cleaning rules.
REASONS = {
    "other-post": "A post that is neither a question nor an answer: tag wikis, election notices.",
    "other-tags": "A question without any of the `tags`.",
    "few-votes": "A question with fewer than `min_votes` votes.",
    "unanswered": "A question without an answer that `min_votes` and `accepted_only` allow.",
    "no-question": "An answer whose question is not in the dump.",
}


class Post(NamedTuple):
    """A row of `POSTS`."""

    source: str
    question: int
    id: int
    kind: int
    accepted: int
    votes: int
    title: str
    body: str
    tags: list[str]
    license: str


def holds_posts(item: Item, limits: Cleaning, columns: Columns) -> bool:
    """Whether a file holds posts: by its name, or by the columns of the table it is, unless a person said which of them
    is the text."""
    if item.url.endswith(POSTS_ENDINGS):
        return True
    return columns.text is None and {spelled(name) for name in table_columns(item, limits)} >= NEEDED


def spelled(name: str) -> str:
    """A column's name in one spelling.

    >>> spelled("PostTypeId"), spelled("post_type_id")
    ('posttypeid', 'posttypeid')
    """
    return name.replace("_", "").lower()


class Posts:
    """The posts of a run, on disk until all are there. `size_bytes` of what will be read decides how many buckets."""

    def __init__(self, folder: Path, settings: StackOverflow, limits: Cleaning, size_bytes: int) -> None:
        self.settings, self.limits = settings, limits
        self._number = min(MOST_BUCKETS, 1 + size_bytes // BUCKET_BYTES)
        self._buckets = Buckets(folder, "posts", POSTS, self._number)
        self._waiting: list[Post] = []
        self._files: dict[str, Item] = {}

    def read(self, item: Item) -> Iterator[tuple[Item, Refusal]]:
        """Take the posts of a file; yield its damage and what is neither question nor answer."""
        self._files.setdefault(item.source, item)
        rows = xml_rows(item, self.limits) if item.url.endswith(POSTS_ENDINGS) else spelled_rows(item, self.limits)
        number, patience = 0, Patience()
        for number, row in enumerate(rows, 1):
            post = row if isinstance(row, Refusal) else post_of(item.source, row)
            if isinstance(post, Refusal):
                yield Item(item.url, item.source, f"{item.path}:{number}"), post
            else:
                self._waiting.append(post)
            if len(self._waiting) >= POSTS_AT_ONCE:
                self.spool()
            if patience.ends(isinstance(post, Refusal) and post.reason == "unreadable"):
                yield Item(item.url, item.source, f"{item.path}:{number + 1}"), HOPELESS
                return
        if not number:
            yield item, NO_ROWS

    def spool(self) -> None:
        """Put what waits into its buckets."""
        rows = pa.Table.from_pylist([post._asdict() for post in self._waiting], schema=POSTS)
        self._buckets.add(rows, [post.question % self._number for post in self._waiting])
        self._waiting = []

    def pages(self) -> Iterator[tuple[Item, bytes | Refusal]]:
        """All questions as pages, or why they are none; and the answers without a question."""
        self.spool()
        self._buckets.close()
        for table in self._buckets.tables():
            rows = table.sort_by([(name, "ascending") for name in ("source", "question", "kind", "id")])
            for (source, _), group in groupby(posts_in(rows), key=lambda post: (post.source, post.question)):
                yield from self.thread(self._files[source], list(group))
            del table, rows

    def thread(self, item: Item, posts: list[Post]) -> Iterator[tuple[Item, bytes | Refusal]]:
        """A question with its answers, the question first."""
        questions = [post for post in posts if post.kind == QUESTION]
        answers = list({post.id: post for post in posts if post.kind == ANSWER}.values())
        for post in questions[1:]:
            again = Refusal("exact-duplicate", "the same question again", excerpt(post.title))
            yield named(item, f"questions/{post.id}", [post]), again
        for post in answers if not questions else []:
            lost = Refusal("no-question", f"its question {post.question} is not there", excerpt(post.body))
            yield named(item, f"answers/{post.id}", [post]), lost
        if questions:
            yield self.page(item, questions[0], answers)

    def page(self, item: Item, question: Post, answers: list[Post]) -> tuple[Item, bytes | Refusal]:
        """One question as a page, or why it is none."""
        chosen = self.chosen(question, answers)
        told = {
            "votes": question.votes,
            "accepted": any(post.id == question.accepted for post in answers),
            "answers": len(answers),
            "tags": question.tags,
        }
        made = named(item, f"questions/{question.id}", [question, *chosen], metadata_of(told, None, {}))
        if fault := self.fault(question, chosen):
            return made, Refusal(*fault, excerpt(question.title))
        return made, text_of(question, chosen).encode()

    def chosen(self, question: Post, answers: list[Post]) -> list[Post]:
        """The answers of a page, in their order."""
        settings = self.settings

        def accepted(post: Post) -> bool:
            return post.id == question.accepted

        allowed = [post for post in answers if accepted(post) or post.votes >= settings.min_votes]
        if settings.accepted_only:
            allowed = list(filter(accepted, allowed))
        return sorted(allowed, key=lambda post: (not accepted(post), -post.votes, post.id))[: settings.max_answers]

    def fault(self, question: Post, answers: list[Post]) -> tuple[str, str] | None:
        """Why a question is no page: reason and detail."""
        settings = self.settings
        if settings.tags and not any(is_tagged(tag, settings.tags) for tag in question.tags):
            return "other-tags", f"its tags are {', '.join(question.tags) or 'none'}"
        if question.votes < settings.min_votes:
            return "few-votes", f"{question.votes} votes, {settings.min_votes} needed"
        if not answers:
            return "unanswered", "no accepted answer" if settings.accepted_only else "no answer with enough votes"
        return None


def is_tagged(tag: str, wanted: list[str]) -> bool:
    """Whether a tag is one of these or a version of it.

    >>> is_tagged("python-3.x", ["python"]), is_tagged("pythonanywhere", ["python"])
    (True, False)
    """
    return any(tag == name or tag.startswith(f"{name}-") for name in wanted)


def named(item: Item, path: str, posts: list[Post], metadata: str = "{}") -> Item:
    """A page as a file of the dump it stands in, under the licences of its posts."""
    return Item(item.url, item.source, path, tuple(sorted({post.license for post in posts if post.license})), metadata)


def posts_in(rows: pa.Table) -> Iterator[Post]:
    """The rows of a table, a few at a time."""
    for batch in rows.to_batches(POSTS_AT_ONCE):
        yield from map(Post._make, zip(*[column.to_pylist() for column in batch.columns], strict=True))


def text_of(question: Post, answers: list[Post]) -> str:
    """A question and its answers as Markdown."""
    parts = [f"# {question.title}"] if question.title else []
    parts.append(markdown(question.body))
    for answer in answers:
        votes = "1 vote" if answer.votes == 1 else f"{answer.votes} votes"
        accepted = "accepted, " if answer.id == question.accepted else ""
        parts += [f"## Answer ({accepted}{votes})", markdown(answer.body)]
    return "\n\n".join(parts) + "\n"


def post_of(source: str, row: Mapping[str, Any]) -> Post | Refusal:
    """A post from its columns, or why it is none that can be used."""
    numbers = {name: number(row.get(name)) for name in ("id", "posttypeid", "parentid", "acceptedanswerid", "score")}
    id, kind, question = numbers["id"], numbers["posttypeid"], numbers["parentid"]
    body = text_in(row.get("body"))
    if kind not in (None, QUESTION, ANSWER):
        return Refusal("other-post", f"post {id} is of type {kind}", excerpt(body))
    if id is None or kind is None or (kind == ANSWER and question is None):
        return Refusal("unreadable", "a post without its numbers", excerpt(body))
    if len(body) > BODY_BYTES:
        return Refusal("too-large", f"post {id} has {len(body)} characters, {BODY_BYTES} allowed", excerpt(body))
    return Post(
        source,
        id if question is None or kind == QUESTION else question,
        id,
        kind,
        numbers["acceptedanswerid"] or 0,
        numbers["score"] or 0,
        " ".join(text_in(row.get("title")).split()),
        body,
        tags_in(row.get("tags")),
        license_of(row),
    )


def number(value: Any) -> int | None:
    """A whole number, or None where a column holds none that a post could have."""
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < MOST else None


def text_in(value: Any) -> str:
    """A column's text; empty where it holds something else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else ""


def tags_in(value: Any) -> list[str]:
    """The tags of a question, which dumps write as `<a><b>`, as `|a|b|`, or as a list.

    >>> tags_in("<python><list>"), tags_in("|python|list|")
    (['python', 'list'], ['python', 'list'])
    """
    text = " ".join(map(str, value)) if isinstance(value, list) else text_in(value)
    return re.findall(TAG[1:-1], text)


def license_of(row: Mapping[str, Any]) -> str:
    """The licence that a post names, else that of its day; empty where neither can be told."""
    told = re.search(r"CC BY-SA (\d\.\d)", text_in(row.get("contentlicense")))
    if told:
        return f"CC-BY-SA-{told[1]}"
    day = str(row.get("creationdate"))[:10]
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return ""
    return next(license for since, license in LICENSES if day >= since)


def spelled_rows(item: Item, limits: Cleaning) -> Iterator[dict[str, Any] | Refusal]:
    """The rows of a table of posts, their columns in one spelling."""
    every = Columns(keep=[name for name in table_columns(item, limits) if spelled(name) in WANTED])
    for row in table_rows(item, limits, every):
        yield row if isinstance(row, Refusal) else {spelled(name): value for name, value in row.items()}


def xml_rows(item: Item, limits: Cleaning) -> Iterator[dict[str, Any] | Refusal]:
    """The rows of Posts.xml. Damage ends them with a refusal, and so does anything that declares entities."""
    rows: list[dict[str, Any]] = []
    parser = guarded_parser(rows)
    try:
        with opened(item) as stream:
            since_row = 0
            while chunk := stream.read(CHUNK_BYTES):
                parser.Parse(chunk)
                since_row = 0 if rows else since_row + len(chunk)
                yield from rows
                rows.clear()
                if since_row > LINE_FACTOR * limits.max_bytes:
                    raise Swollen("a row longer than any allowed text")
            parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, *DAMAGE) as error:  # LookupError: an encoding that nobody knows
        yield from rows
        yield Refusal("too-large" if isinstance(error, Swollen) else "unreadable", xml_fault(error), "")


def guarded_parser(rows: list[dict[str, Any]]) -> Any:
    """A parser that appends the attributes of each `<row>` to `rows`, and refuses declarations of a document type:
    the dump has none, and entities are what bombs of XML are made of."""
    parser = expat.ParserCreate()

    def element(name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            rows.append({spelled(key): value for key, value in attributes.items()})
        elif name != "posts":
            raise ValueError(f"not a dump of posts: it holds <{name[:50]}>")

    def doctype(*_: Any) -> None:
        raise ValueError("it declares a document type, which a dump of posts does not")

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = element, doctype
    return parser


def xml_fault(error: Exception) -> str:
    """What is wrong with a file, without its path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
