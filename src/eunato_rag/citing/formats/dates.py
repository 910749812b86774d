"""Dates in English, as the styles print them. Left out: reading them from a record (`fields.date`)."""

from __future__ import annotations

from eunato_rag.citing.formats.fields import MONTHS, SEASONS, Date, Day


def year(date: Date) -> str:
    """`2020`, `2019–2021`, `ca. 1990`, `44 BCE`, or the date in words; empty where there is none."""
    if not date.start:
        return date.said
    years = list(dict.fromkeys(_year(day[0]) for day in (date.start, date.end) if day))
    return ("ca. " if date.circa else "") + "–".join(years)


def american(date: Date) -> str:
    """`March 12, 2025`, `March 2025`, `Spring 2025`, `June 3–5, 2019`; as precise as the date."""
    rest = month_and_day(date)
    if not rest or not date.start:
        return year(date)
    approximate = "ca. " if date.circa else ""
    if date.end and date.end[0] != date.start[0]:
        return approximate + "–".join(american(Date(day)) for day in (date.start, date.end))
    return f"{approximate}{rest}{',' if len(date.start) > 2 else ''} {_year(date.start[0])}"


def month_and_day(date: Date) -> str:
    """`March 12`, `March`, `Spring`, `June 3–5`, `June 28–July 2`; empty where only years are known."""
    if date.season is not None:
        return SEASONS[date.season - 1]
    start, end = date.start, date.end
    if not start or not _said(start):
        return ""
    if not end or not _said(end):
        return _said(start)
    return f"{_said(start)}–{end[2] if start[:2] == end[:2] and len(end) > 2 and len(start) > 2 else _said(end)}"


def _said(day: Day) -> str:
    return " ".join((MONTHS[day[1] - 1], *map(str, day[2:]))) if len(day) > 1 else ""


def _year(number: int) -> str:
    return str(number) if number > 0 else f"{-number} BCE"
