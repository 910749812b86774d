"""Measures of ranked documents: the only import of ir-measures (MacAvaney et al. 2022), which comes with an extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eunato_rag.errors import SettingsError

MEASURES = ("nDCG@10", "Success@1", "R@5", "RR@10", "R@100")
_DEEP = 100


def require() -> None:
    """See to it that documents can be measured, before an hour is spent on them.

    Raises:
        SettingsError: ir-measures is not installed.
    """
    try:
        import ir_measures  # noqa: F401  # whether it is there is all that is asked
    except ImportError as error:
        raise SettingsError("Documents are measured by ir-measures, which is not installed. Run: pip install ir-measures") from error


def document_measures(judged: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]) -> dict[str, float | None]:
    """The means over all judged queries, in 0..1; `R@100` is None unless every ranking has a hundred documents.

    nDCG has linear gain (Järvelin and Kekäläinen 2002), as trec_eval computes it.
    """
    import ir_measures

    deep = all(len(ranking) >= _DEEP for ranking in rankings.values())
    named = {name: ir_measures.parse_measure(name) for name in MEASURES if deep or not name.endswith(f"@{_DEEP}")}
    qrels = {query: dict(grades) for query, grades in judged.items()}
    runs = {query: {document: float(-rank) for rank, document in enumerate(ranking)} for query, ranking in rankings.items()}
    means = ir_measures.calc_aggregate(list(named.values()), qrels, runs)
    return {name: round(float(means[named[name]]), 4) if name in named else None for name in MEASURES}
