"""Plausible prose, made up: as many tiny documents, or one document as long, as a test asks for. The same for the same seed.

Left out: sense. What is said of a place with a number is said once, so that a question has one answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from html import escape
from pathlib import Path

_WHO = "The council,The port authority,A joint committee,The museum,The coast guard,Every member state,The inspectorate,The mayor".split(
    ","
)
_DID = "approved,postponed,financed,rejected,reviewed,extended,published,audited,delayed,halved".split(",")
_WHAT = "dredging,pilotage,lighting,surveying,salvage,towing,cargo handling,coastal patrol,bridge repair,flood control".split(",")
_KIND = "programme,agreement,budget,exercise,inquiry,contract,framework,plan,register,survey".split(",")
_WHERE = "Lindholm,Torp,Karn,Vesby,Alsund,Morvik,Hale,Ostra,Brede,Nyholm,Sandvig,Ravn".split(",")
_WHY = [
    "because the barge had broken down",
    "after the storm of that winter",
    "although the money was short",
    "since the pilots had asked for it",
    "while the northern line was laid up",
    "so that larger ships could call there",
]
_SYLLABLES = "ka lo mi ren tas vel dor sin bra quo".split()
ABOUT = (
    "About this notice. It is published by the Office for Harbours and may be copied if the office is named. Requests for larger "
    "print are answered within ten working days. The office keeps a register of all notices, which anybody may read on Tuesdays."
)
"""What stands below every tiny document: the office's own words, which make no two of them the same."""


def sentence(chance: random.Random) -> str:
    pick = chance.choice
    return (
        f"{pick(_WHO)} {pick(_DID)} the {pick(_WHAT)} {pick(_KIND)} at {pick(_WHERE)} in {chance.randint(1950, 2025)} "
        f"{pick(_WHY)}; it cost {chance.randint(2, 9999)} crowns."
    )


def name(number: int) -> str:
    """A place that no other number has."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{number:05d}").title()


def notice(number: int, seed: int = 0) -> str:
    """A tiny document of some hundred words; its buoy stands in no other."""
    chance = random.Random(f"{seed} {number}")
    said = " ".join(sentence(chance) for _ in range(3))
    return f"Notice {number}\n\nThe buoy off {name(number)} was laid in {1900 + number % 120}. {said}\n\n{sentence(chance)} {ABOUT}\n"


def write_notices(folder: Path, count: int) -> None:
    """So many files in the folder, a hundred to a subfolder, every tenth one HTML."""
    for number in range(count):
        place = folder / f"{number // 100:03d}"
        place.mkdir(parents=True, exist_ok=True)
        text = notice(number)
        if number % 10:
            (place / f"notice-{number:05d}.txt").write_text(text, "utf-8")
        else:
            title, *paragraphs = text.strip().split("\n\n")
            body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
            page = f"<!doctype html><html lang=en><title>{title}</title><body><h1>{title}</h1>{body}</body></html>"
            (place / f"notice-{number:05d}.html").write_text(page, "utf-8")


def sections(size: int, seed: int = 0) -> Iterator[tuple[str, list[str], str]]:
    """Sections of about `size` characters together: a title, paragraphs, and a note on the first of them."""
    chance = random.Random(seed)
    written = number = 0
    while written < size:
        number += 1
        paragraphs = [" ".join(sentence(chance) for _ in range(chance.randint(2, 7))) for _ in range(chance.randint(2, 8))]
        paragraphs[0] = f"The buoy off {name(number)} was laid in {1900 + number % 120}. {paragraphs[0]}"
        note = (
            f"{chance.choice(_WHO)[4:].strip().capitalize()}, Report on {chance.choice(_WHAT)}, {chance.randint(1950, 2025)}, p. {number}."
        )
        written += sum(map(len, paragraphs)) + len(note) + 40
        title = f"On the {chance.choice(_WHAT)} {chance.choice(_KIND)} at {chance.choice(_WHERE)}"
        yield f"{number // 2500 + 1}.{number // 50 % 50 + 1}.{number % 50 + 1} {title}", paragraphs, note


def write_text(path: Path, size: int) -> None:
    """One plain text of about `size` bytes, with numbered sections; their notes are numbered from 1 in each ten of them."""
    with path.open("w", encoding="utf-8") as file:
        file.write("The Harbours, a History\n\n")
        for number, (title, paragraphs, note) in enumerate(sections(size)):
            mark = "¹²³⁴⁵⁶⁷⁸⁹"[number % 9]
            first, rest = paragraphs[0], paragraphs[1:]
            file.write("\n\n".join([title, first + mark, *rest, f"{mark} {note}"]) + "\n\n")


def write_html(path: Path, size: int) -> None:
    """The same as a web page."""
    with path.open("w", encoding="utf-8") as file:
        file.write("<!doctype html><html lang=en><title>The Harbours, a History</title><body><main><h1>The Harbours, a History</h1>\n")
        notes = []
        for number, (title, paragraphs, note) in enumerate(sections(size), 1):
            first, rest = paragraphs[0], paragraphs[1:]
            mark = f'<sup><a id="r{number}" href="#n{number}">{number}</a></sup>'
            file.write(f"<h2>{title}</h2>\n<p>{first}{mark}</p>\n" + "".join(f"<p>{paragraph}</p>\n" for paragraph in rest))
            notes.append(f'<li id="n{number}">{note} <a href="#r{number}">↩</a></li>\n')
        file.write(f"<ol>{''.join(notes)}</ol></main></body></html>\n")


def write_pdf(path: Path, pages: int) -> None:
    """A PDF of so many pages, a section on each."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=A4)
    found = sections(10**12)
    for number in range(1, pages + 1):
        title, paragraphs, _ = next(found)
        canvas.setFont("Times-Bold", 14)
        canvas.drawString(60, 780, title)
        canvas.setFont("Times-Roman", 10)
        y = 755
        for paragraph in paragraphs:
            line = ""
            for word in paragraph.split():
                if len(line) + len(word) > 95:
                    canvas.drawString(60, y, line)
                    line, y = "", y - 12
                line = f"{line} {word}".strip()
            canvas.drawString(60, y, line)
            y -= 20
            if y < 80:
                break
        canvas.drawString(290, 40, str(number))
        canvas.showPage()
    canvas.save()
