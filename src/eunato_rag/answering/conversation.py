"""History -> a standalone question, by rule, without a language model.

A question that leans on its conversation becomes, in this order: the question before with its parallel constituent
replaced ("And in 2018?", ellipsis.py); itself with the pronoun replaced by the one thing that the question before was
about; or the question before, with the names that answered it, said again in front. Any other question stays as it
is, to the letter. Left out: understanding. What an open pronoun means is joined rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eunato_rag.answering.dependence import GENERAL, Reference, open_references, substance
from eunato_rag.answering.ellipsis import ORDINAL, fragment_of, substituted
from eunato_rag.answering.phrases import AUXILIARIES, WH, Phrase, phrases, words
from eunato_rag.errors import InvalidQuestion
from eunato_rag.indexing.keywords import analyse
from eunato_rag.records import Turn

MAX_TURNS = 50
MAX_USER_TURN = 4_000
MAX_ASSISTANT_TURN = 32_000
"""Characters, as for MAX_USER_TURN."""
READ_EXCHANGES = 6
"""Questions of the history that are resolved, one after the other; what lies farther back no longer matters."""
MAX_LEANING = 600
"""Characters; a longer question says what it is about."""
MAX_PART = 300
"""Characters of an earlier question that are said again."""
READ_ANSWER = 1200
"""Characters of an answer whose names are read."""
MAX_NAMES = 3
MAX_BARE = 8
"""Words of a question that asks for nothing by itself ("What were the results?"); a longer one is about something."""
COMMON = 1.0
"""Weight below which a term is no news: more than about a third of the passages say it."""

Weight = Callable[[str], float]

_COURTESY = (
    r"hi|hello|hey|(?:very |so |most )?(?:helpful|useful|kind)|"
    r"(?:many )?thanks(?: (?:a lot|so much|very much|for \w+ \w+))?|thank you(?: (?:so|very) much)?|cheers|ok(?:ay)?|great|"
    r"good(?: to know| morning| afternoon| evening| point)?|cool|nice|perfect|wow|fine|sure|yes|no|yeah|yep|nope|bye|goodbye|sorry|"
    r"got it|i see|i understand|understood|makes sense|all ?right|right|well|interesting|awesome|excellent|brilliant|amazing|please|"
    r"that(?:'s| is| was) (?:fine|ok(?:ay)?|good|great|helpful|interesting|terrible|amazing|all|clear|right)|how are you|never mind|hm+"
)
_CHATTER = re.compile(rf"(?:(?:{_COURTESY})\b[\s,.!?…:;)-]*)+", re.IGNORECASE)
_SEEKS = re.compile(
    r"(?:(?:and|but|so|also|then),? )?(?:(?:in|to|at|by|from|for|with|under|of|on) )?(?:which|who|whom|whose|where|what|name|list|give)\b",
    re.I,
)
"""Questions that ask for a thing: a pronoun after them may mean what answered them."""
_DEFINES = re.compile(
    r"wh(?:at|o)(?:'s| is| are| was| were)\b|tell me (?:more )?about\b|what (?:does|do|did|can|could|will|would|should) .{1,100}?\b"
    r"(?:be|do|mean|stand|cover|include|contain|say|involve|consist|aim|address|achieve|offer)\b",
    re.IGNORECASE,
)
"""Questions that are about the one thing that they name, although they ask for another."""
_WITHIN = re.compile(r" (?:of|at|in|for|on|to|with|between|from|by) (?:the )?", re.IGNORECASE)
""" "The budget of the Fund": what is asked about is not the name but what it belongs to."""
_PERSON = re.compile(r"(?!the )(?:[^\W\d_][\w.’'-]*[a-zà-ÿ.] ?){2,4}")
_SOUGHT = re.compile(r"\b(?:which|what) ([a-z]+)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topic:
    """An earlier question as resolved, in the parts that it was joined from, and what was answered to it."""

    parts: tuple[str, ...]
    answer: str = ""

    @property
    def last(self) -> str:
        return self.parts[-1]


def checked_history(history: Sequence[Turn]) -> tuple[Turn, ...]:
    """The history, as far as it can be read.

    Raises:
        InvalidQuestion: more than 50 turns; a user's turn of more than 4,000 characters, an assistant's of more than
            32,000; or no valid Unicode.
    """
    if len(history) > MAX_TURNS:
        raise InvalidQuestion(f"The history has {len(history)} turns; at most {MAX_TURNS} are read. Send the last ones.")
    for number, turn in enumerate(history, 1):
        most = MAX_USER_TURN if turn.role == "user" else MAX_ASSISTANT_TURN
        if len(turn.content) > most:
            said = f"Turn {number} of the history, by the {turn.role}, has {len(turn.content):,} characters"
            raise InvalidQuestion(f"{said}; at most {most:,} are read. Shorten it.")
        if any("\ud800" <= character <= "\udfff" for character in turn.content):
            raise InvalidQuestion(f"Turn {number} of the history holds half of a character (a lone surrogate). Send it as valid Unicode.")
    return tuple(history)


def standalone_question(question: str, history: Sequence[Turn], weight: Weight) -> str:
    """What a question means without its conversation: itself, to the letter, where it leans on nothing.

    `weight` says how rare an index term is (KeywordIndex.weight). The same arguments give the same question.
    """
    topics: list[Topic] = []
    exchanges = _exchanges(history)
    if exchanges and exchanges[-1] == (question, ""):  # some clients send the question as the last turn, too
        exchanges.pop()
    for asked, answer in exchanges[-READ_EXCHANGES:]:
        if not is_chatter(asked):
            topics.append(Topic(_resolved(_shortened(asked), topics, weight), answer))
    return " ".join(_resolved(question, topics, weight))


def _exchanges(history: Sequence[Turn]) -> list[tuple[str, str]]:
    """Each thing a user said with what was answered, markup and citation numbers gone."""
    found: list[tuple[str, str]] = []
    for turn in history:
        said = turn.content.strip()
        if turn.role == "user":
            found.append((said, ""))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {_plain(said[:READ_ANSWER])}".strip())
    return [(asked, answer) for asked, answer in found if asked]


def _plain(answer: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", answer)
    text = re.sub(r"\s*\[\d+(?:\s*[,–-]\s*\d+)*\]", "", text)
    return re.sub(r"[*_`#>|“”\"]+", "", text)


def _shortened(asked: str) -> str:
    """The end of what was asked, where a long message has its question."""
    asked = " ".join(asked.split())
    if len(asked) <= MAX_PART:
        return asked
    tail = asked[-MAX_PART:]
    cut = re.search(r"[.?!]\s+(?=\S)", tail)
    return tail[cut.end() :] if cut else tail.partition(" ")[2] or tail


def is_chatter(text: str) -> bool:
    """Whether a text greets, thanks or agrees, and asks for nothing."""
    return not words(text) or (len(text) < 100 and bool(_CHATTER.fullmatch(text.strip())))


def _without_courtesy(question: str) -> str:
    """Without the sentences of thanks in front."""
    cut = re.match(r"(?:[^.!?…]{1,40}[.!…]+\s+)+(?=\S)", question[:200])
    return question[cut.end() :] if cut and is_chatter(cut.group()) else question


def _resolved(question: str, topics: Sequence[Topic], weight: Weight) -> tuple[str, ...]:
    """The question as the parts of its standalone form; (question,) where it stands alone."""
    if not topics or len(question) > MAX_LEANING or is_chatter(question):
        return (question,)
    topic, said = topics[-1], _without_courtesy(question)
    fragment = fragment_of(said, asked_back=topic.answer.endswith("?"))
    if fragment is not None:
        replaced = substituted(fragment, topic.last)
        if replaced or not fragment.bare:
            return (*topic.parts[:-1], replaced) if replaced else _joined(topic, said)
    before = [phrase for earlier in reversed(topics) for part in earlier.parts for phrase in phrases(part)]
    sought = {noun.lower() for noun in _SOUGHT.findall(topic.last)}
    if not any(word.name for word in words(said)):
        sought |= {phrase.head for phrase in phrases(topic.last)}
    references = open_references(said, before, sought)
    if references:
        replaced = _replaced(said, references, before, topic, weight)
        return (replaced,) if replaced else _joined(topic, said, weight)
    if not substance(said) and len(words(said)) <= MAX_BARE:
        return _joined(topic, said)
    return (question,)


def _replaced(said: str, references: Sequence[Reference], before: Sequence[Phrase], topic: Topic, weight: Weight) -> str | None:
    """The question with what it points at in place of the pronoun; None where that is not one thing beyond doubt."""
    reference = references[0]
    if len({r.word for r in references}) > 1:
        return None
    if reference.kind == "clause":
        return _chosen(said, reference, topic)
    if reference.kind == "noun":
        repeated = [p.text for p in before if p.head == reference.noun and 2 <= len(p.text.split()) <= (5 if p.named else 3)]
        if repeated:
            return _put(said, reference, f"the {repeated[0]}")
        if reference.plural or reference.noun not in GENERAL:
            return None
    focus = _focus(topic, weight)
    if focus is None or (reference.word in ("he", "she", "him", "his", "her") and not _PERSON.fullmatch(focus)):
        return None
    plural = any(phrase.plural for phrase in phrases(f"to {focus}"))
    return _put(said, reference, focus) if reference.plural == plural or " and " in focus else None


def _chosen(said: str, reference: Reference, topic: Topic) -> str | None:
    """ "The second one" with the noun that it leaves out: a plural of the question before, or what that chose another of."""
    wanted = re.fullmatch(rf"((?:the|which|this|that|another|any|each|every) (?:[\w-]+ )*?)(ones?)|(the {ORDINAL.pattern})", reference.word)
    if not wanted:
        return None
    nouns = set()
    for phrase in (p for part in topic.parts for p in phrases(part) if not p.named and substance(p.text)):
        ordinal = ORDINAL.match(phrase.text)
        if phrase.plural:
            nouns.add(phrase.text if wanted[2] == "ones" else _singular(phrase.text))
        elif ordinal:
            nouns.add(phrase.text[ordinal.end() :].strip())
    lead = wanted[1].rstrip() if wanted[1] else wanted[3]
    noun = nouns.pop() if len(nouns) == 1 else ""
    return f"{said[: reference.start + len(lead)]} {noun}{said[reference.end :]}" if noun else None


def _singular(phrase: str) -> str:
    return phrase[:-3] + "y" if phrase.endswith("ies") else phrase[:-1]


def _put(said: str, reference: Reference, meant: str) -> str:
    if reference.kind == "possessive":
        meant += "'" if meant.endswith("s") else "'s"
    return said[: reference.start] + (_capital(meant) if reference.start == 0 else meant) + said[reference.end :]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _focus(topic: Topic, weight: Weight) -> str | None:
    """The one thing that the question before was about, with its article; None where it asked for a thing or named several."""
    question = topic.last
    if len(topic.parts) > 1:
        return None
    asked = [phrase for phrase in phrases(question) if substance(phrase.text)]
    if _DEFINES.match(question) and len(asked) == 1:
        return _with_article(question, asked[0])
    if _SEEKS.match(question):
        return None
    worth = {phrase: sum(weight(term) for term in set(analyse(phrase.text))) for phrase in asked if phrase.named}
    ranked = sorted(worth, key=lambda phrase: -worth[phrase])
    if not ranked or any(worth[other] > worth[ranked[0]] / 2 for other in ranked[1:]):
        return None
    within = any(_WITHIN.fullmatch(question[other.end : ranked[0].start]) for other in asked)
    rest = [term for term in substance(question) - set(analyse(ranked[0].text)) if weight(term) >= COMMON]
    return _with_article(question, ranked[0]) if len(rest) <= 1 and not within else None


def _with_article(question: str, phrase: Phrase) -> str:
    return f"the {phrase.text}" if re.search(r"\bthe $", question[: phrase.start], re.IGNORECASE) else phrase.text


def _joined(topic: Topic, said: str, weight: Weight | None = None) -> tuple[str, ...]:
    """The question before and this one behind it; given a weight, with the names that answered the one before."""
    names = _answered_with(topic, weight) if weight else []
    last = f"{topic.last.rstrip(' ?.!')} ({', '.join(names)})?" if names else _closed(topic.last)
    parts = tuple(dict.fromkeys((*topic.parts[:-1][:1], last)))
    return (*(part for part in parts if substance(part) or len(parts) == 1), _capital(said))


def _closed(question: str) -> str:
    """With a mark at its end."""
    question = question.rstrip()
    if question[-1] in ".?!…":
        return question
    return f"{question}?" if words(question) and words(question)[0].lower in WH | AUXILIARIES else f"{question}."


def _answered_with(topic: Topic, weight: Weight) -> list[str]:
    """The names in the sentence that answered a question for a thing, as far as they are news."""
    if not _SEEKS.match(topic.last):
        return []
    asked, known = substance(topic.last), set(analyse(" ".join(topic.parts)))
    sentences = re.split(r"(?<=[.!?])\s+", topic.answer)
    best = max(sentences, key=lambda sentence: sum(weight(term) for term in asked & set(analyse(sentence))))
    worth: dict[str, float] = {}
    for name in (best[slice(*phrase.core)] for phrase in phrases(best) if phrase.named):
        terms = set(analyse(name))
        if substance(name) and not terms <= known and sum(weight(term) for term in terms) >= COMMON:
            worth[name] = sum(weight(term) for term in terms)
            known |= terms
    taken = sorted(worth, key=lambda name: -worth[name])[:MAX_NAMES]
    return [name for name in worth if name in taken]
