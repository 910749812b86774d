"""Numbers as lists print them: 1, a, A, i, I. Left out: which list prints what (html_blocks, docx_numbering)."""

from __future__ import annotations

_ROMAN = tuple(zip((1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), "m cm d cd c xc l xl x ix v iv i".split(), strict=True))


def letters(number: int) -> str:
    """As CSS counts: 1 is a, 26 is z, 27 is aa, 28 is ab."""
    printed = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        printed = chr(ord("a") + rest) + printed
    return printed


def repeated_letters(number: int) -> str:
    """As Word counts: 1 is a, 26 is z, 27 is aa, 28 is bb."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number <= 780 else str(number)


def roman(number: int) -> str:
    """A number from 1 to 3999 in small roman numerals; any other in digits."""
    if not 0 < number < 4000:
        return str(number)
    printed = ""
    for value, letter in _ROMAN:
        times, number = divmod(number, value)
        printed += letter * times
    return printed
