"""What a page says of itself: its work record from Highwire and Dublin Core tags, JSON-LD, OpenGraph and `<title>`.

Left out: what no tag says. A date is never read out of the prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from eunato_rag.ingestion.layout import collapse, mend_characters
from eunato_rag.ingestion.readers.html_tree import Element, Page

_TYPES = {
    "newsarticle": "article-newspaper",
    "reportagenewsarticle": "article-newspaper",
    "blogposting": "post-weblog",
    "report": "report",
    "scholarlyarticle": "article-journal",
    "legislation": "legislation",
    "article": "webpage",
    "techarticle": "webpage",
    "webpage": "webpage",
}
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?!\d)")
_SEPARATOR = re.compile(r"\s+[|–—·»:-]+(?:\s+|$)|\s+\|\s*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)

_TITLES = ("citation_title", "og:title", "dc.title", "dcterms.title", "twitter:title")
_AUTHORS = ("citation_author", "author", "article:author", "dc.creator", "dcterms.creator")
_DATES = (
    *("citation_publication_date", "citation_date", "article:published_time", "datepublished", "dcterms.issued", "dc.date.issued"),
    *("dc.date", "dcterms.date", "dcterms.created", "date", "pubdate"),
)
_PUBLISHERS = ("citation_publisher", "citation_technical_report_institution", "dc.publisher", "dcterms.publisher", "og:site_name")


def work(page: Page, identifier: str) -> tuple[dict[str, Any], str | None]:
    """The page's record in the shape of CSL-JSON, and the address that its relative links start from, if it says one.

    "title" is there only where a tag carries one that says something.
    """
    tags = _tags(page.root)
    article = next(_articles(page.scripts), {})
    url = _address(page.root, tags)
    kind = _TYPES.get(_type(article), "webpage")
    if "citation_journal_title" in tags:
        kind = "article-journal"
    elif "citation_technical_report_institution" in tags:
        kind = "report"
    publisher = _name(_first(article.get("publisher"))) or _tag(tags, _PUBLISHERS)
    record: dict[str, Any] = {
        "id": identifier,
        "type": kind,
        "title": _title(page.root, tags, article, publisher),
        "author": _authors(tags, article),
        "issued": _issued(page.root, tags, article),
        "container-title": _tag(tags, ("citation_journal_title",)),
        "DOI": _tag(tags, ("citation_doi",)).removeprefix("https://doi.org/").removeprefix("doi:"),
        "publisher": publisher,
        "language": _language(page.root, tags),
        "URL": url,
    }
    base = next((e.get("href") for e in page.root.iter() if e.tag == "base" and e.get("href")), "")
    try:
        start = urljoin(url, base) if url else base
    except ValueError:  # no address at all, such as http://[
        start = url
    return {key: value for key, value in record.items() if value}, start if start.startswith(("http://", "https://")) else None


def _tags(root: Element) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for element in root.iter():
        if element.tag == "meta":
            name = element.get("name") or element.get("property") or element.get("itemprop")
            content = _clean(element.get("content"))
            if name and content:
                tags.setdefault(name.lower(), []).append(content)
    return tags


def _tag(tags: Mapping[str, list[str]], names: tuple[str, ...]) -> str:
    return next((tags[name][0] for name in names if name in tags), "")


def _articles(scripts: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The JSON-LD objects that describe a text, those of a telling type first."""
    found: list[dict[str, Any]] = []
    for script in scripts:
        try:
            waiting: list[Any] = [json.loads(script)]
        except (ValueError, RecursionError):
            continue  # a publisher's broken script is no reason to refuse the page
        while waiting:
            item = waiting.pop(0)
            if isinstance(item, list):
                waiting = item + waiting
            elif isinstance(item, dict):
                if _type(item) in _TYPES:
                    found.append(item)
                if isinstance(item.get("@graph"), list):
                    waiting = item["@graph"] + waiting
    yield from sorted(found, key=lambda item: _type(item) == "webpage")


def _title(root: Element, tags: Mapping[str, list[str]], article: Mapping[str, Any], publisher: str) -> str:
    for name in ("headline", "name"):
        if isinstance(article.get(name), str) and _clean(article[name]):
            return _without_site(_clean(article[name]), publisher)
    shown = next((_clean(e.text()) for e in root.iter() if e.tag == "title"), "")
    candidates = [tags[name][0] for name in _TITLES if name in tags] + [shown]
    return next((title for title in (_without_site(text, publisher) for text in candidates) if title), "")


def _without_site(title: str, publisher: str) -> str:
    """The title without the site's name behind it; nothing where a template left its middle empty ("Site -  - EN")."""
    if re.search(r"[|–—-]\s+[|–—-]", title):
        return ""
    parts = [part.strip() for part in _SEPARATOR.split(title)]
    if len(parts) > 1 and publisher and parts[-1].casefold() in publisher.casefold():
        return title[: title.rindex(parts[-1])].rstrip(" |–—·»:-")
    last = re.search(r"\s+[|–—·»-]\s+(?P<site>[^|–—·»]{1,40})$", title)
    return title[: last.start()] if last and len(last["site"].split()) <= 4 and last.start() > len(last["site"]) else title


def _authors(tags: Mapping[str, list[str]], article: Mapping[str, Any]) -> list[dict[str, str]]:
    said = article.get("author")
    people = []
    for item in said if isinstance(said, list) else [said]:
        name = _name(item)
        if name:
            person = isinstance(item, dict) and _type(item) == "person"
            people.append(_person(name, sure=person))
    if people:
        return people
    for key in _AUTHORS:
        names = [name for name in tags.get(key, ()) if not name.startswith(("http://", "https://", "@"))]
        if names:
            return [_person(name, sure=key == "citation_author") for name in names]
    return []


def _person(name: str, *, sure: bool) -> dict[str, str]:
    """A name cut in two only where it says itself where: "Family, Given", or two words of someone known as a person."""
    family, comma, given = name.partition(", ")
    if comma and len(family.split()) <= 3 and len(given.split()) <= 3 and "," not in given:
        return {"family": family, "given": given}
    words = name.split()
    return {"family": words[1], "given": words[0]} if sure and len(words) == 2 else {"literal": name}


def _issued(root: Element, tags: Mapping[str, list[str]], article: Mapping[str, Any]) -> dict[str, list[list[int]]]:
    times = [
        element.get("datetime")
        for element in root.iter()
        if element.tag == "time" and (element.get("itemprop").lower() == "datepublished" or "pubdate" in element.attributes)
    ]
    said = article.get("datePublished")
    for text in (said if isinstance(said, str) else "", *(tags[name][0] for name in _DATES if name in tags), *times):
        match = _DATE.match(text.strip())
        if match:
            parts = [int(part) for part in match.groups() if part]
            if len(parts) < 2 or (1 <= parts[1] <= 12 and all(1 <= day <= 31 for day in parts[2:])):
                return {"date-parts": [parts]}
    return {}


def _language(root: Element, tags: Mapping[str, list[str]]) -> str:
    said = root.get("lang") or root.get("xml:lang") or _tag(tags, ("dc.language", "dcterms.language", "og:locale"))
    match = _LANGUAGE.match(said.strip().replace("_", "-"))
    if not match:
        return ""
    first, *rest = match.group().split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])


def _address(root: Element, tags: Mapping[str, list[str]]) -> str:
    links = [e.get("href").strip() for e in root.iter() if e.tag == "link" and "canonical" in e.get("rel").lower().split()]
    for address in (*links, _tag(tags, ("og:url",)), _tag(tags, ("citation_public_url",))):
        if address.startswith(("http://", "https://")):
            return address
    return ""


def _name(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else item
    return _clean(name) if isinstance(name, str) and not name.startswith(("http://", "https://")) else ""


def _type(item: Mapping[str, Any]) -> str:
    kind = _first(item.get("@type"))
    return kind.lower() if isinstance(kind, str) else ""


def _first(item: Any) -> Any:
    return item[0] if isinstance(item, list) and item else item


def _clean(text: str) -> str:
    return collapse(mend_characters(text)[0])
