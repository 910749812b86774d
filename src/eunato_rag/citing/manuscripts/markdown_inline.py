"""Markdown within a block, with the places of its tokens, which the parser itself does not keep.

Left out: blocks, and what the tokens mean for the prose (markdown).
"""

from __future__ import annotations

import re

from markdown_it.helpers import parseLinkLabel
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_REFERENCE = re.compile(r"\[\^[^\]\s]{1,100}\]")
_CITATION = re.compile(r"\[(?:[^\[\]@]{0,200}?[\s;-])?-?@[\w{][^\[\]]{0,400}\]")
_FORMULA = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])*)(?<![\s\\])\$(?!\d)", re.DOTALL)
_SPAN = "span"


class PositionedInline(ParserInline):
    """The parser's own loop, which writes into each token where in the block it stands. Text is not joined afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.ruler2.disable("fragments_join")

    def tokenize(self, state: StateInline) -> None:
        rules, end = self.ruler.getRules(""), state.posMax
        deepest = state.md.options["maxNesting"]
        while state.pos < end:
            begun, known = state.pos, len(state.tokens)
            if not (state.level < deepest and any(rule(state, False) for rule in rules)):
                state.append_pending(state.src[state.pos])
                state.pos += 1
            if state.pending:
                state.pushPending()
            _place(state.tokens[known:], begun, state.pos)


def _place(tokens: list[Token], start: int, end: int) -> None:
    """Give the tokens of one step their places: runs of marks one by one, the rest between what has its place already."""
    marks = len(tokens) > 1 and all(token.type == "text" and not token.meta for token in tokens)
    done = start
    for n, token in enumerate(tokens):
        if _SPAN in token.meta:
            done = token.meta[_SPAN][1]
        elif marks:
            token.meta[_SPAN] = (done, done := min(end, done + len(token.content)))
        elif token.type == "link_open" and len(tokens) - n > 1:
            token.meta[_SPAN] = (start, done := start + 1)
        else:
            token.meta[_SPAN] = (done, end)


def span_of(token: Token) -> tuple[int, int]:
    """The range of the block's content that a token stands for."""
    start, end = token.meta[_SPAN]
    return int(start), int(end)


def note_reference(state: StateInline, silent: bool) -> bool:
    """`[^1]` where a note of that label is defined."""
    match = _REFERENCE.match(state.src, state.pos, state.posMax)
    if match is None or f":{match[0][2:-1]}" not in state.env.get("footnotes", {}).get("refs", {}):
        return False
    return _taken(state, "note_marker", match.end(), silent)


def inline_note(state: StateInline, silent: bool) -> bool:
    """`^[a note]`, Pandoc's note within the text."""
    if not state.src.startswith("^[", state.pos):
        return False
    end = parseLinkLabel(state, state.pos + 1)
    return end >= 0 and _taken(state, "note_marker", end + 1, silent)


def citation(state: StateInline, silent: bool) -> bool:
    """`[see @smith2020, p. 3; @jones]`, Pandoc's citation."""
    match = _CITATION.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    return match is not None and _taken(state, "note_marker", match.end(), silent)


def formula(state: StateInline, silent: bool) -> bool:
    """`$x$` as Pandoc tells it from sums of money: no space inside the dollars, no digit behind them."""
    match = _FORMULA.match(state.src, state.pos, state.posMax)
    return match is not None and _taken(state, "formula", match.end(), silent, match[1])


def _taken(state: StateInline, kind: str, end: int, silent: bool, content: str = "") -> bool:
    if not silent:
        state.push(kind, "", 0).content = content
    state.pos = end
    return True
