"""From the HTML of a post to text in the manner of Markdown: code fenced, lists marked, lines not too long."""

from __future__ import annotations

import re
from html.parser import HTMLParser

WIDTH = 100  # characters of a line of prose; longer words stay whole
DEEPEST = 5  # level of lists and quotations that is still shown
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# A "<" that begins no whole tag. The parser takes quadratic time over those, so they are not shown to it.
NO_TAG = re.compile(r"<(?!/?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>)")
BLOCKS = HEADINGS | {"p", "pre", "ul", "ol", "li", "blockquote", "hr", "div", "table", "tr"}


def markdown(body: str) -> str:
    """The text of a post. What does not begin with a tag is Markdown already and stays as it is.

    >>> markdown("<p>Use <code>len</code>:</p><pre><code>len([1])\\n</code></pre>")
    'Use `len`:\\n\\n```\\nlen([1])\\n```'
    """
    if not body.lstrip().startswith("<"):
        return body.strip()
    writer = Writer()
    writer.feed(NO_TAG.sub("&lt;", without_comments(body)))
    writer.close()
    return "\n\n".join(writer.finished())


def without_comments(body: str) -> str:
    """The body without what stands in comments."""
    text, *commented = body.split("<!--")
    return text + "".join(part.partition("-->")[2] for part in commented)


class Writer(HTMLParser):
    """Gathers blocks of text as tags open and close. Tags that are not known leave their text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._text: list[str] = []
        self._lists: list[int | None] = []  # the number of the last item; None: the list has marks
        self._quotes = 0
        self._mark = ""  # of a list's item or a heading, before its text
        self._code = False  # within <pre>

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.end_block()
        if tag == "pre":
            self._code = True
        elif tag == "code" and not self._code:
            self._text.append("`")
        elif tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._mark = self.next_mark()
        elif tag == "blockquote":
            self._quotes += 1
        elif tag in HEADINGS:
            self._mark = "### "
        elif tag == "br":
            self._text.append("\n")
        elif tag == "img":
            self._text.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.end_block()
        if tag == "pre":
            self._code = False
        elif tag == "code" and not self._code:
            self._text.append("`")
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "blockquote" and self._quotes:
            self._quotes -= 1

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def next_mark(self) -> str:
        """The mark of the next item of the innermost list."""
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1]}. "

    def end_block(self) -> None:
        """Finish the block at hand, if it holds anything."""
        text, self._text = "".join(self._text), []
        if not text.strip():
            return
        mark, self._mark = self._mark, ""
        indent = "   " * min(max(len(self._lists) - 1, 0), DEEPEST)
        lines = fenced(text) if self._code else wrapped(text, WIDTH)
        first = "> " * min(self._quotes, DEEPEST) + indent
        rest = first + " " * len(mark)
        self.blocks.append("\n".join((rest if number else first + mark) + line for number, line in enumerate(lines)))

    def finished(self) -> list[str]:
        """All blocks, trailing space removed."""
        self.end_block()
        return ["\n".join(line.rstrip() for line in block.split("\n")) for block in self.blocks]


def fenced(text: str) -> list[str]:
    """Code between fences longer than any run of backticks in it."""
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return [fence, *text.strip("\n").split("\n"), fence]


def wrapped(text: str, width: int) -> list[str]:
    """Prose in lines of at most `width` characters; the breaks that it has are kept."""
    lines = []
    for paragraph in filter(None, map(str.split, text.strip().split("\n"))):
        line = paragraph[0]
        for word in paragraph[1:]:
            if len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line += f" {word}"
        lines.append(line)
    return lines
