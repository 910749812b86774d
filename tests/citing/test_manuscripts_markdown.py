"""Markdown drafts: what is read of them, and the same file with footnotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from eunato_rag.citing.manuscripts import Manuscript, Note, annotate, read_manuscript
from eunato_rag.citing.manuscripts.markdown_notes import markup
from eunato_rag.errors import InvalidText

DRAFT = """---
title: Two organisations. A study.
---

# Two *organisations*

The EU and NATO have **agreed** to work
together, as [Smith. A study](https://a.b/c "Title. Here.") shows.[^1] It is `code`. *They
said:* “it is *new*.” Last &amp; \\*least<sup>3</sup> and km<sup>2</sup>. [Jones][j] agreed [see @jones2020, p. 3].

> “We reaffirm
> our commitment. It holds.”
>
> — NATO, 2022

- capability
  development
- [x] exercises. Done.
  1. nested

| Body. | Members |
|---|---|
| NATO | It has 32 members. |

| no | sentence |
|---|---|

![A picture. It is.](a.png)

```
code. It is.
```

    indented code. It is.

<div>
HTML. It is.
</div>

<!-- A comment. -->

$$
x. Y.
$$

It costs $5 and $10, so $x. Y$ is.^[An inline note. Two.] Setext is next.

Heading. Two
============

**A bold heading**

Table 1: Members

Under it.

Source: NATO

¹ Jones. A book.

[j]: https://c.d "Jones. It is."

[^1]: Smith. A book.

    It goes on.

## References

Smith, J. 2020. *A study*.

### Unpublished

Jones.

## Conclusion

The end<br>came.
"""

FRAGMENTS = (
    *(
        "The EU acts. ",
        "NATO did so.",
        "Why? ",
        "word ",
        "end",
        "\n",
        "\n\n",
        "\r\n",
        "> ",
        "- ",
        "1. ",
        "# ",
        "## References\n",
        "*",
        "**",
    ),
    *("_", "`", "``", "```\n", "[", "](http://x.y)", "]", "(", ")", "![", "[^1]", "[^1]: A note.\n", "[^a]", "[2]", "<b>", "</b>", "<!--"),
    *(
        "-->",
        "<div>\n",
        "&amp;",
        "\\",
        "^",
        "^[",
        "[^1]",
        "$",
        "$x$",
        "|",
        "~~~\n",
        "---\n",
        "===\n",
        "“",
        "”",
        '"',
        "'",
        "’",
        "    ",
        "\t",
    ),
    *(
        "…",
        "! ",
        "!",
        "¹",
        "a|b\n-|-\nc.|d.\n",
        "http://a.b ",
        "<http://a.b>",
        "[@k]",
        "é",
        "\u00a0",
        "—",
        "[x]: http://y\n",
        "[x]",
        "  \n",
    ),
    *("\\\n", "<script>\n", "$$\n", "\u2028", "\x0b", "\r", "<sup>1</sup>", "- [ ] "),
)


def sentences(manuscript: Manuscript) -> list[str]:
    return [sentence.text for sentence in manuscript.sentences]


def words(manuscript: Manuscript) -> str:
    """All that is read, spaces aside."""
    return "".join(sentences(manuscript)).replace(" ", "")


def everywhere(manuscript: Manuscript) -> list[Note]:
    return [
        Note(sentence.end, f"N{n}: <https://a.b/c_d> *a* \\*b [x](y) `z` <i> $q$ &lt; ^[o]")
        for n, sentence in enumerate(manuscript.sentences)
    ]


def rendered(text: str) -> str:
    """What a reader reads of it, without the notes and their markers, white space aside."""
    parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).use(footnote_plugin)
    html = parser.render(text).split('<hr class="footnotes-sep"')[0]
    return re.sub(r"\s+", " ", re.sub(r'<sup class="footnote-ref">.*?</sup>', "", html))


def test_a_draft_as_people_write_it() -> None:
    """Neither headings nor code, HTML, front matter, captions, heads of tables, notes or the bibliography hold sentences."""
    manuscript = read_manuscript(DRAFT)
    assert (manuscript.format, manuscript.text) == ("markdown", DRAFT)
    assert [(s.text, DRAFT[s.start : s.end]) for s in manuscript.sentences] == [
        ("The EU and NATO have agreed to work together, as Smith.", "The EU and NATO have **agreed** to work\ntogether, as [Smith."),
        ("A study shows.", 'A study](https://a.b/c "Title. Here.") shows.[^1]'),
        ("It is code.", "It is `code`."),
        ("They said: “it is new.”", "*They\nsaid:* “it is *new*.”"),
        ("Last & *least and km².", "Last &amp; \\*least<sup>3</sup> and km<sup>2</sup>."),
        ("Jones agreed.", "[Jones][j] agreed [see @jones2020, p. 3]."),
        ("“We reaffirm our commitment.", "“We reaffirm\n> our commitment."),
        ("It holds.”", "It holds.”"),
        ("capability development", "capability\n  development"),
        ("exercises.", "exercises."),
        ("Done.", "Done."),
        ("nested", "nested"),
        ("It has 32 members.", "It has 32 members."),
        ("It costs $5 and $10, so x. Y is.", "It costs $5 and $10, so $x. Y$ is.^[An inline note. Two.]"),
        ("Setext is next.", "Setext is next."),
        ("Under it.", "Under it."),
        ("The end came.", "The end<br>came."),
    ]
    assert [(DRAFT[q.start : q.end], q.text, q.sentence, q.last_sentence, q.block) for q in manuscript.quotations] == [
        ("it is *new*.", "it is new.", 3, 3, False),
        ("We reaffirm\n> our commitment. It holds.", "We reaffirm our commitment. It holds.", 6, 7, True),
    ]


def test_a_draft_with_notes_reads_as_before() -> None:
    """Footnotes with new labels, each defined at the end; the reader's page is the same without them."""
    manuscript = read_manuscript(DRAFT)
    noted = str(annotate(manuscript, everywhere(manuscript)))
    assert rendered(noted) == rendered(DRAFT)
    assert sentences(read_manuscript(noted)) == sentences(manuscript)
    assert noted.startswith(DRAFT[: DRAFT.index("together")])
    assert 'as [Smith. A study](https://a.b/c "Title. Here.")[^2] shows.[^1][^3] It is `code`.[^4] *They' in noted
    assert "“it is *new*.”[^5] Last" in noted
    assert "> our commitment.[^8] It holds.”[^9]\n" in noted
    assert "| NATO | It has 32 members.[^14] |" in noted
    assert noted.count("\n[^18]: N16: ") == 1
    assert re.search(r"[^\n]\n\Z", noted)


def test_the_bibliography_gets_a_heading_of_the_drafts_own_level() -> None:
    one_title = read_manuscript("# Title\n\nA **good** thing.\n")
    assert annotate(one_title, [Note(one_title.sentences[0].end, "See *A*.")], ["Smith, *B*.", "2. Jones."]) == (
        "# Title\n\nA **good** thing.[^1]\n\n## Bibliography\n\nSmith, *B*.\n\n2\\. Jones.\n\n[^1]: See *A*.\n"
    )
    sections = read_manuscript("# One\n\nA thing.\n\n# Two\n\nB thing.")
    assert annotate(sections, [], ["Smith."], "Works cited") == "# One\n\nA thing.\n\n# Two\n\nB thing.\n\n# Works cited\n\nSmith."


@pytest.mark.parametrize("tail", ["```\ncode", "~~~~ x\ncode\n~~~\n", "<!-- a comment", "<script>\nx\n\ny", "<?php\n"])
def test_notes_go_before_what_the_draft_leaves_open(tail: str) -> None:
    """Behind code or a comment that nothing closes they would be part of it."""
    draft = f"A good thing.\n{tail}"
    manuscript = read_manuscript(draft, "markdown")
    noted = str(annotate(manuscript, [Note(13, "N.")], ["B."]))
    assert noted == f"A good thing.[^1]\n\n## Bibliography\n\nB.\n\n[^1]: N.\n\n{tail}"


@pytest.mark.parametrize(
    ("draft", "noted"),
    [
        ("It rained![^a] They left.\n\n[^a]: x", "It rained![^a][^1] They left.\n\n[^a]: x"),
        ("What a day! We left.", "What a day! [^1] We left."),
        ("A caret stands here ^", "A caret stands here ^ [^1]"),
        ("A backslash stands here \\", "A backslash stands here \\ [^1]"),
        ("*It rained.**", "*It rained.** [^1]"),
        ("*It rained. They left.*", "*It rained.[^1] They left.*"),
        ("***It rained.*** They left.", "***It rained.***[^1] They left."),
        ("> It rained.  \n> They left.", "> It rained.[^1]  \n> They left."),
        ("It rained.\\\nThey left.", "It rained.[^1]\\\nThey left."),
        ("See <https://a.b>. They left.", "See <https://a.b>.[^1] They left."),
        ("It is `raining.` They left", "It is `raining.`[^1] They left"),
        ("- It rained.\n- They left.", "- It rained.[^1]\n- They left."),
        ("It rained. [^a] They left.\n\n[^a]: x", "It rained. [^a][^1] They left.\n\n[^a]: x"),
        ("It rained.<sup>3</sup> They left.", "It rained.<sup>3</sup>[^1] They left."),
        ("It rained.[3] They left.", "It rained.[3][^1] They left."),
    ],
)
def test_a_marker_stands_behind_its_sentence_and_is_one(draft: str, noted: str) -> None:
    manuscript = read_manuscript(draft, "markdown")
    written = str(annotate(manuscript, [Note(manuscript.sentences[0].end, "N")]))
    assert written == f"{noted}\n\n[^1]: N"
    assert 'class="footnote-ref"' in MarkdownIt("commonmark").use(footnote_plugin).render(written)


def test_labels_are_new_wherever_the_draft_has_some() -> None:
    """Also those in code, those that nothing defines, and those that are words."""
    manuscript = read_manuscript("A thing.[^7] `[^9]` [^x]\n\n[^x]: y\n")
    assert "[^10]: N" in str(annotate(manuscript, [Note(8, "N")]))


@pytest.mark.parametrize(
    "text",
    [
        "a_b_c *x* [y](z) `c` <d> &amp; $e$ ~~f~~ ^[g] @h \\i",
        "1. a",
        "12) b",
        "- c",
        "# d",
        "> e",
        "+ f",
        "=== g",
        "--- h",
        ":i",
        "[^1]: j",
        "| k",
        "!l",
        "~~~",
    ],
)
def test_a_notes_text_reads_as_it_is(text: str) -> None:
    """What is no markup of notes is escaped, at the beginning of a line too; it makes neither lists nor headings nor links."""
    literal = re.sub(r"([\\*<])", r"\\\1", text)
    html = MarkdownIt("commonmark").enable("strikethrough").render(markup(literal))
    assert html == f"<p>{text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</p>\n"


def test_a_notes_markup_is_kept() -> None:
    assert markup("Smith, *A_B \\* C*, see https://a.b/c_d(e). <https://x.y/*z*>") == (
        "Smith, *A\\_B \\* C*, see <https://a.b/c_d(e)>. <https://x.y/*z*>"
    )


def test_where_no_marker_can_stand_in_a_block_it_goes_to_its_end() -> None:
    """Behind a line of nothing but a list's mark it would make a list of it."""
    check_draft("The EU acts. 1. \n1. \nThe EU acts.")


def test_notes_before_code_that_nothing_closes_begin_after_an_empty_line() -> None:
    """Also where the line before ends with a carriage return alone: else they would be rows of the table."""
    check_draft("a|b\n-|-\nc.|d.\nThe EU acts. \r```\n")


def check_draft(draft: str) -> None:
    manuscript = read_manuscript(draft, "markdown")
    noted = str(annotate(manuscript, everywhere(manuscript)))
    assert words(read_manuscript(noted, "markdown")) == words(manuscript)
    assert noted.count("[^1]") == 2


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join) | st.text(max_size=80))
@settings(max_examples=400, deadline=None)
def test_not_a_character_of_the_draft_changes(draft: str) -> None:
    """Of any text whatever: the annotated file without the notes is the draft, reads as the draft, and has each note once."""
    try:
        manuscript = read_manuscript(draft, "markdown")
    except InvalidText:
        return
    assert manuscript.text == draft.removeprefix("\ufeff")
    for sentence in manuscript.sentences:
        assert 0 <= sentence.start < sentence.end <= len(draft)
        assert sentence.text == " ".join(sentence.text.split())
    notes = everywhere(manuscript)
    noted = str(annotate(manuscript, notes))
    assert words(read_manuscript(noted, "markdown")) == words(manuscript)
    first = max((int(label) for label in re.findall(r"\[\^(\d{1,6})\]", draft)), default=0) + 1
    left = noted
    for number in range(first, first + len(notes)):
        assert noted.count(f"[^{number}]") == 2
        left = re.sub(rf"\[\^{number}\]: [^\r\n]*", "", left).replace(f"[^{number}]", "")
    letters = iter(left)
    assert all(letter in letters for letter in manuscript.text)
