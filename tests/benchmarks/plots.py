"""Figures as plots: SVG, the same for the same figures, small, and readable on a light and on a dark page.

Needs matplotlib: pip install 'eunato-rag[bench]'. Left out: which figures there are (report).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
from tests.benchmarks.figures import OURS

INK = "#808080"
COLOURS = ("#3b82d0", "#d9772e", "#4f9e58", "#a06bbd")
STYLE: dict[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "axes.titlecolor"), INK),
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "eunato-rag",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}

Line = tuple[str, Sequence[float], Sequence[float]]
"""A name, and its points by size and by value."""


def bars(path: Path, panels: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """One panel per figure, {title: {collection: {system: value}}}, with a group of bars for each collection; from zero."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3.6), layout="constrained", squeeze=False)
        names = list(dict.fromkeys(name for groups in panels.values() for group in groups.values() for name in group))
        names.sort(key=lambda name: name != OURS)
        for ax, (title, groups) in zip(axes[0], panels.items(), strict=True):
            width = 0.8 / len(names)
            for n, name in enumerate(names):
                places = [g + (n - (len(names) - 1) / 2) * width for g in range(len(groups))]
                drawn = ax.bar(places, [group.get(name, 0) for group in groups.values()], width * 0.92, label=name, color=COLOURS[n % 4])
                ax.bar_label(drawn, fmt=_short, fontsize=7, padding=1)
            ax.set_xticks(range(len(groups)), list(groups))
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.set_title(title)
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
        _save(figure, path)


def curves(path: Path, panels: Mapping[str, tuple[str, Sequence[Line]]], *, log: bool = True) -> None:
    """One panel per figure, {title: (unit, lines)}, against the number of passages."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 3.4), layout="constrained", squeeze=False)
        for ax, (title, (unit, lines)) in zip(axes[0], panels.items(), strict=True):
            for n, (name, xs, ys) in enumerate(lines):
                ax.plot(xs, ys, marker="o", markersize=4, linewidth=1.6, label=name, color=COLOURS[n % 4])
            _axis(ax, title, unit, log=log)
            if len(lines) > 1:
                ax.legend(fontsize=9)
        _save(figure, path)


def _axis(ax: Axes, title: str, unit: str, *, log: bool) -> None:
    ax.set_xscale("log")
    if log:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(lambda value, _: _short(value))
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.set_ylim(min(0.95, ax.get_ylim()[0]), 1.002)
        ax.axhline(0.99, color=INK, linewidth=0.8, linestyle="--")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.grid(visible=True, axis="y", color=INK, alpha=0.25, linewidth=0.6)
    ax.set_title(title)
    ax.set_ylabel(unit)
    ax.set_xlabel("passages")


def _short(value: float) -> str:
    return "" if not value else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
