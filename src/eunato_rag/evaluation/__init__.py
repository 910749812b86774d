"""Questions + judgements -> measures of retrieval, answers, citations and abstention, each for itself.

questions      a question and its evidence; the project's own sets
collections    a folder -> what is asked and of what
material       a test collection -> an index of its own
running        asking, and what came of it
measures       figures of retrieval, answers, citations; ranking and abstention, which they are made with
reporting      all figures, rows and tables; plot: the curve of risk and coverage; baseline: figures against earlier ones
"""

from eunato_rag.evaluation.abstention import curves
from eunato_rag.evaluation.baseline import compare, read_baseline, write_baseline
from eunato_rag.evaluation.collections import Collection, read_collection
from eunato_rag.evaluation.material import index_collection, index_folder
from eunato_rag.evaluation.measures import report
from eunato_rag.evaluation.plot import draw
from eunato_rag.evaluation.questions import Judgement, Question, read_conversations, read_questions
from eunato_rag.evaluation.reporting import WIDTH, as_rows, full_report, tables
from eunato_rag.evaluation.running import Outcome, run

__all__ = [
    "WIDTH",
    "Collection",
    "Judgement",
    "Outcome",
    "Question",
    "as_rows",
    "compare",
    "curves",
    "draw",
    "full_report",
    "index_collection",
    "index_folder",
    "read_baseline",
    "read_collection",
    "read_conversations",
    "read_questions",
    "report",
    "run",
    "tables",
    "write_baseline",
]
