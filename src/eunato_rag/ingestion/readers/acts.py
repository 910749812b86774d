"""The structure of treaties and acts whose paragraphs all look alike: "TITLE V", "Article 42", "(a) …" become blocks.

The Official Journal's older pages, and many texts copied from it, mark no heading; the words do. Works on drafts, for
any format. Left out: paragraphs numbered "1.", which in an act are paragraphs and keep their number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from eunato_rag.ingestion.layout import Draft, ends_sentence, join
from eunato_rag.records import Change

_NUMBER = r"(?:\d{1,3}\s?[a-z]?|[IVXLC]{1,7}\s?[a-z]?|ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|\(No\s?\d+\))"
_RANKS: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (rank, re.compile(rf"(?:{words})\s+{_NUMBER}(?![\w(])(?P<rest>.*)", re.IGNORECASE))
    for rank, words in (
        (1.0, "PROTOCOL|PROTOKOLL|PROTOCOLE|PROTOCOLO|PROTOCOLLO|PROTOKOL|ΠΡΩΤΟΚΟΛΛΟ"),
        (1.5, "ANNEX|ANNEXE|ANHANG|ANEXO|ALLEGATO|PŘÍLOHA|ZAŁĄCZNIK|ΠΑΡΑΡΤΗΜΑ"),
        (2.0, "PART|TEIL|PARTIE|PARTE|ČÁST|CZĘŚĆ|ΜΕΡΟΣ"),
        (3.0, "TITLE|TITEL|TITRE|TÍTULO|TITOLO|HLAVA|TYTUŁ|ΤΙΤΛΟΣ"),
        (4.0, "CHAPTER|KAPITEL|CHAPITRE|CAPÍTULO|CAPO|KAPITOLA|ROZDZIAŁ|ΚΕΦΑΛΑΙΟ"),
        (5.0, "SECTION|ABSCHNITT|SECCIÓN|SEZIONE|ODDÍL|SEKCJA|ΤΜΗΜΑ"),
        (6.0, "SUBSECTION|UNTERABSCHNITT|SOUS-SECTION|PODODDÍL"),
    )
)
_ARTICLE = re.compile(
    r"(?:(?:Article|Artikel|Artículo|Articolo|Artigo|Articolul|Článek|Článok|Artykuł|Άρθρο|Член|Člen|Članak|Artikkel)\s+"
    r"(?:\d{1,4}\s?[a-z]{0,2}|[IVXL]+(?:-\d+)?)\.?(?:\s+\([^()]{1,60}\))?|Sole Article)(?:\s*[–—:-]\s*(?P<rest>\S.{0,100}))?",
)
_ARTICLE_RANK = 7.0
_ANNEX = re.compile(r"(?:ANNEX|ANNEXE|ANHANG|PŘÍLOHA|ΠΑΡΑΡΤΗΜΑ)(?: TO THE [A-Z ]+)?")
_PREAMBLE = re.compile(r"(?:PREAMBLE|PRÄAMBEL|PRÉAMBULE|PREÁMBULO|PREAMBOLO|PREAMBULE|ΠΡΟΟΙΜΙΟ)", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:table of )?contents:?", re.IGNORECASE)
_RULE = re.compile(r"[-_=*—–]{5,}")
_ITEM = re.compile(r"(?:\((?P<letter>[a-z]{1,2}|[ivx]{1,5})\)|(?P<bullet>[-–—•]))\s+(?=\S)")
_MAX_TITLE = 300


def read_act(drafts: Sequence[Draft]) -> tuple[list[Draft], list[Change]]:
    """The drafts with an act's headings, list items and contents recognised; as they are where it is no act."""
    drafts = _pipe_tables(drafts)
    if sum(d.kind == "paragraph" and _ARTICLE.fullmatch(d.prose.text) is not None for d in drafts) < 3:
        return [d for d in drafts if not _RULE.fullmatch(d.prose.text)], []
    drafts, titles, changes = _take_contents(drafts)
    body = [draft for draft in drafts if draft.kind != "note"]
    base = max((d.level for d in drafts if d.kind == "heading"), default=0)
    made: list[Draft] = []
    stack: list[float] = []
    index = count = 0
    while index < len(body):
        draft = body[index]
        index += 1
        if draft.kind == "heading":
            stack = []
        if draft.kind != "paragraph" or _RULE.fullmatch(draft.prose.text):
            made += [draft] if draft.kind != "paragraph" else []
            continue
        rank = _rank(draft.prose.text, titles, after_rule=index > 1 and bool(_RULE.fullmatch(body[index - 2].prose.text)))
        if rank is None:
            made.append(_item(draft, made))
            continue
        prose = draft.prose
        if rank not in (0.0, 2.5) and index + 1 < len(body) and _is_title(body[index], prose.text, rank, titles):
            prose = prose.joined(body[index].prose)
            index += 1
        while stack and stack[-1] >= rank:
            stack.pop()
        stack.append(rank)
        made.append(replace(draft, kind="heading", prose=prose, level=base + len(stack)))
        count += 1
    changes.append(Change("act", f"{count} headings told by their words, as in treaties and acts (Title, Chapter, Article)"))
    return made + [draft for draft in drafts if draft.kind == "note"], changes


def _rank(text: str, titles: frozenset[str], *, after_rule: bool) -> float | None:
    """How high a heading stands in an act, 0 highest; None where the text is no heading."""
    if _key(text) in titles and re.match(r"\d+\.\s", text):
        return 2.5
    if len(text) > _MAX_TITLE or (ends_sentence(text) and not _ARTICLE.fullmatch(text)):
        return None
    if _ARTICLE.fullmatch(text) or _PREAMBLE.fullmatch(text):
        return _ARTICLE_RANK
    for rank, pattern in _RANKS:
        match = pattern.fullmatch(text)
        if match and (not match["rest"].strip() or text.isupper() or _key(text) in titles):
            return rank
    if _ANNEX.fullmatch(text):
        return 1.5
    if _key(text) in titles:
        return 1.0 if re.match(r"[A-Z]\.\s", text) else 0.0
    return 0.0 if after_rule and "|" not in text else None


def _is_title(draft: Draft, heading: str, rank: float, titles: frozenset[str]) -> bool:
    """Whether a paragraph is the second line of the heading before it."""
    text = draft.prose.text
    if draft.kind != "paragraph" or re.search(r"[.,;:!?|]$", text) or not text[:1].isupper() or "|" in text:
        return False
    if _rank(text, frozenset(), after_rule=False) is not None or _RULE.fullmatch(text) or re.fullmatch(r"[A-Z]\.\s.*", text):
        return False
    if _ARTICLE.fullmatch(heading):
        return len(text) <= 120
    return len(text) <= _MAX_TITLE and (text.isupper() or len(text) <= 150 or _key(f"{heading} {text}") in titles)


def _item(draft: Draft, made: Sequence[Draft]) -> Draft:
    match = _ITEM.match(draft.prose.text)
    if match is None:
        return draft
    if match["bullet"]:
        return replace(draft, kind="list_item", prose=draft.prose.cut(match.end()), level=1)
    before = made[-1] if made and made[-1].kind == "list_item" else None
    lettered = _ITEM.match(before.prose.text) if before is not None else None
    roman = re.fullmatch(r"[ivx]+", match["letter"]) is not None
    follows = lettered is not None and lettered["letter"] == "h" and match["letter"] == "i"
    nested = roman and not follows and before is not None and (lettered is not None)
    level = 2 if nested and lettered is not None and (lettered["letter"] != "u" and lettered["letter"] != "w") else 1
    return replace(draft, kind="list_item", level=level)


def _take_contents(drafts: Sequence[Draft]) -> tuple[list[Draft], frozenset[str], list[Change]]:
    """The drafts without the contents page that a rule ends, and its titles, which mark the headings."""
    start = next((i for i, d in enumerate(drafts) if _CONTENTS.fullmatch(d.prose.text)), None)
    if start is None:
        return list(drafts), frozenset(), []
    end = next((i for i in range(start, len(drafts)) if _RULE.fullmatch(drafts[i].prose.text)), None)
    if end is None or end - start < 3 or any(d.kind not in ("paragraph", "heading") for d in drafts[start:end]):
        return list(drafts), frozenset(), []
    entries = [draft.prose.text for draft in drafts[start:end]]
    change = Change(
        "contents", f"contents page with {len(entries) - 1} entries removed; its titles mark the headings", None, "\n".join(entries)
    )
    front = [replace(draft, matter="front") for draft in drafts[:start]]
    return [*front, *drafts[end:]], frozenset(_key(entry) for entry in entries[1:]), [change]


def _pipe_tables(drafts: Sequence[Draft]) -> list[Draft]:
    """Paragraphs that are rows ("Germany | 37 578 |") become one table."""
    result: list[Draft] = []
    rows: list[Draft] = []

    def close() -> None:
        if len(rows) > 1:
            lines = (row.prose.cut(0, len(row.prose.text.rstrip(" |"))) for row in rows)
            result.append(Draft("table", join(lines, "\n")))
        else:
            result.extend(rows)
        rows.clear()

    for draft in drafts:
        if draft.kind == "paragraph" and re.search(r"(?:^|\s)\|(?:\s|$)", draft.prose.text):
            rows.append(draft)
        else:
            close()
            result.append(draft)
    close()
    return result


def _key(title: str) -> str:
    return re.sub(r"\W+", " ", title).strip().casefold()
