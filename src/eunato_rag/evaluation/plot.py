"""The curve of risk and coverage as a small SVG, drawn by hand: no library of plots is worth its weight for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Steps = Sequence[tuple[float, float]]

WIDTH, HEIGHT, MARGIN = 640, 400, 56
COLOURS = ("#1a1a1a", "#3b78c4", "#c4572e")


def draw(title: str, curves: Mapping[str, Steps]) -> str:
    """An SVG of the curves by name, each a list of (coverage, risk) in 0..1; every curve is drawn from its first step on."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">{escape(title)}</text>',
    ]
    top = _top(curves)
    for n in range(6):
        share, risk = n / 5, top * n / 5
        (x, _), (_, y) = _at(share, 0, top), _at(0, risk, top)
        parts.append(f'<text x="{x}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{share:.1f}</text>')
        parts.append(f'<line x1="{MARGIN}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}" stroke="#dddddd"/>')
        parts.append(f'<text x="{MARGIN - 8}" y="{y + 4}" text-anchor="end">{risk:.2f}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">coverage: share of the questions answered</text>')
    middle = HEIGHT / 2
    parts.append(
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">risk: share of the answers wrong</text>'
    )
    for n, (name, steps) in enumerate(curves.items()):
        colour = COLOURS[n % len(COLOURS)]
        points = " ".join(f"{x},{y}" for x, y in (_at(coverage, risk, top) for coverage, risk in steps))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{2 if n == 0 else 1}"/>')
        parts.append(f'<text x="{WIDTH - MARGIN}" y="{24 + 15 * n}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _top(curves: Mapping[str, Steps]) -> float:
    """The highest risk on the scale: the next tenth above what is drawn."""
    highest = max((risk for steps in curves.values() for _, risk in steps), default=0.0)
    return min(1.0, (int(highest * 10) + 1) / 10)


def _at(coverage: float, risk: float, top: float) -> tuple[float, float]:
    x = MARGIN + coverage * (WIDTH - 2 * MARGIN)
    y = HEIGHT - MARGIN - risk / top * (HEIGHT - 2 * MARGIN)
    return round(x, 1), round(y, 1)
