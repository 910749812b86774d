"""A sentence of a draft -> whether it claims anything, who it says that says so, and what it claims.

English rules of thumb. A sentence claims nothing where it asks, greets, announces what the draft will do, or gives an
opinion in words that say nothing of the world. Left out: whether the claim holds (support).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eunato_rag.evidence.claims import Claim, read_claim
from eunato_rag.indexing.keywords import analyse

MAX_SENTENCE = 1000
"""Characters; what is longer is a text, not a sentence."""

_ASKS = re.compile(r"\?[\s\"”’')\]]*$")
_GREETS = re.compile(
    r"^\W*(?:dear|hello|hi|good (?:morning|afternoon|evening|day)|welcome|thanks?(?! to)|thank you|ladies and gentlemen|happy new year"
    r"|(?:i|we) (?:would like to |want to |wish to |am grateful|are grateful )?(?:thank|am grateful|are grateful|apologi[sz]e)"
    r"|(?:best|kind|warm) (?:regards|wishes)|yours (?:sincerely|faithfully|truly)|cheers)\b",
    re.IGNORECASE,
)
_DOES = (
    r"(?:argue|show|demonstrate|turn|describe|discuss|begin|start|open|close|end|focus|examine|explore|explain|return|conclude|look"
    r"|outline|review|present|propose|suggest|assess|analy[sz]e|consider|address|deal|summari[sz]e|ask|offer|draw|sketch|trace|proceed"
    r"|come back)"
)
_TEXT = r"(?:essay|paper|brief|article|section|chapter|post|report|text|piece|column|study|analysis|blog|commentary|thesis)"
_ANNOUNCES = re.compile(
    r"^\W*(?:(?:so|but|and|first|firstly|then|next|second|secondly|third|thirdly|finally|lastly|now|here|below|above|to begin with"
    r"|in (?:this|the (?:next|following|last|final|first|second|third)) \w+(?: of this \w+)?|in what follows|in conclusion|in closing)"
    rf",? )*(?:(?:i|we) (?:will |shall |now |therefore |also |then |want to |would like to |(?:am|are) going to |intend to )*{_DOES}\b"
    r"|let (?:me|us) )",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    rf"^\W*(?:(?:the (?:rest|remainder) of (?:this|the|my|our) (?:policy )?{_TEXT}|what follows"
    r"|the following (?:sections?|pages?|chapters?))\b"
    r"|(?:section|chapter|part|appendix|annex) (?:\d+|[ivx]+|one|two|three|four|five|six) \w+s\b"
    r"|this (?:essay|article|section|chapter|post|column|blog|commentary|thesis|introduction|part)\b"
    r"|this (?:policy )?(?:paper|brief|report|study|note) (?:has|is|will be|proceeds?) (?:\w+ )?"
    r"(?:parts?|sections?|chapters?|structured|organi[sz]ed|divided)"
    r"|(?:see|compare|cf\.?) (?:also |the )*"
    r"(?:table|figure|chart|graph|box|map|note|section|chapter|annex|appendix|below|above|page)\b"
    r"|the (?:table|figure|chart|graph|box|map) (?:below|above)\b)",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^\W*(?:(?:in my (?:view|opinion)|to my mind|for my part|personally|frankly|honestly|if you ask me|as i see it"
    r"|i (?:\w+ )?(?:believe|think|feel|hope|fear|wonder|doubt|suspect|wish)(?: that)?|it seems to me(?: that)?"
    r"|i am (?:not )?(?:sure|certain|convinced)(?: (?:that|whether|if))?),? )",
    re.IGNORECASE,
)
_VACANT = frozenset(
    analyse(
        """argument answer bad begin beginning believe better big case certain clear come conclusion course day difference doubt easy
        enough essay example fact far feel find follow forward get go good great happen hard hope idea important issue know later less
        let lesson like little long look make matter maybe mean mistake moment move need new news next obvious one opinion opportunity
        part patience people perhaps pity place point possible problem put question reader reason remain right say see seem seen shame
        short show sign simple sorry start story strange sure surprise surprising take talk thing think thought time today tomorrow
        tragedy true truth try turn understand view want way well whole wish wonder word work world worse worry worst wrong year"""
    )
)
"""Terms that say nothing of the world by themselves."""

_SAYS = (
    r"(?:argues?|argued|writes?|wrote|says?|said|claims?|claimed|notes?|noted|warns?|warned|recommends?|recommended|suggests?"
    r"|suggested|believes?|believed|concludes?|concluded|points? out|pointed out|stress(?:es|ed)?|finds?|found|states?|stated"
    r"|maintains?|maintained|calls? for|called for|proposes?|proposed|insists?|insisted|holds?|observes?|observed|reports?|reported"
    r"|adds?|added|explains?|explained|urges?|urged|wants?|wanted|underlines?|underlined|emphasi[sz]es?|emphasi[sz]ed|contends?"
    r"|contended|advises?|advised|reminds us)"
)
_WORK = r"(?:author|writer|paper|policy paper|policy brief|brief|report|study|publication|analysis|text|document)"
_WHO = r"[^,;:.]{2,120}?"
_ACCORDING = re.compile(
    rf"^\W*(?:(?:According to|In the (?:view|words|opinion) of) (?P<who>{_WHO})"
    rf"|As (?P<who2>{_WHO}) (?:{_SAYS}|puts it|sees it)), (?P<core>.+)$",
    re.S,
)
_DEMANDS = (
    r"(?:calls? for|called for|recommends?|recommended|urges?|urged|proposes?|proposed|advises?|advised|wants?|wanted|warns? against)"
)
_SAID = re.compile(
    rf"^\W*(?P<lead>(?:In [^,;:.]{{2,80}}, )?)(?P<who>{_WHO})(?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)(?<!\bbeen)"
    rf"(?: (?:also|rightly|further|therefore|has|have))* (?:{_SAYS}(?: us)? that|{_DEMANDS}) (?P<core>.{{8,}})$",
    re.S,
)
_AFTER = re.compile(
    rf"^(?P<core>.{{8,}}), (?:according to (?P<who>[^,;:]{{2,120}}?)|(?P<who2>{_WHO}) {_SAYS}|as (?P<who3>{_WHO}) (?:{_SAYS}|puts it))\W*$",
    re.S,
)
_COMMENT = re.compile(rf",? (?:she|he|they|the (?:\w+ )?{_WORK}) \w+(?:s|ed)(?=[,.;])", re.IGNORECASE)
_ASIDE = re.compile(rf", (?:as (?P<who>{_WHO}) (?:{_SAYS}|reads it|puts it|sees it)|according to (?P<who2>{_WHO}))(?=, )", re.S)
_THE_WORK = re.compile(rf"^(?:(?:in )?(?:the|this|its|her|his|their) (?:\w+ )?{_WORK}|she|he|they)(?:'s|’s)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attributed:
    """What a sentence claims, and whom or what it names as saying so ("" where nobody, or only "the paper", "the author")."""

    core: str
    who: str = ""
    said: bool = False


def claims_nothing(sentence: str) -> bool:
    """Whether a sentence says nothing of the world that a document could say, too."""
    text = " ".join(sentence.split())
    if not re.search(r"[^\W\d_]{2}", text) or _ASKS.search(text) or _GREETS.search(text) or _ORDERS.search(text):
        return True
    if _ANNOUNCES.search(text):
        return not read_claim(text).numbers
    claim = read_claim(_OPINION.sub("", text))
    return not claim.numbers and not claim.names and frozenset(claim.terms) <= _VACANT


def attributed(sentence: str) -> Attributed:
    """The claim without the words that say who makes it."""
    for pattern in (_ACCORDING, _AFTER, _SAID):
        match = pattern.search(sentence)
        if match is None:
            continue
        groups = match.groupdict()
        who = next((groups[name] for name in ("who", "who2", "who3") if groups.get(name)), "")
        lead = groups.get("lead") or ""
        if _names_someone(who):
            return Attributed(_sentence(groups["core"]), "" if _THE_WORK.match(who) and not lead else f"{lead}{who}", True)
    aside = _ASIDE.search(sentence)
    if aside is not None:
        who = aside["who"] or aside["who2"]
        if _names_someone(who):
            core = sentence[: aside.start()] + sentence[aside.end() + 1 :]
            return Attributed(core, "" if _THE_WORK.match(who) else who, True)
    comment = _COMMENT.search(sentence)
    if comment is not None and comment.start() > 0:
        core = sentence[: comment.start()] + sentence[comment.end() :].removeprefix(",")
        return Attributed(core, "", True)
    return Attributed(sentence)


def subject_of(sentence: str) -> str:
    """What a sentence is about, for a pronoun in the next one: what stands before its first finite verb; "" if unclear."""
    match = re.match(
        r"\W*([^,;:()]{2,80}?),? (?:is|are|was|were|has|have|had|will|would|can|could|should|must|may|might|does|do|did)\b",
        sentence,
    )
    return match[1] if match else ""


_LEANS = re.compile(r"^(?:It|They|This|These|He|She|Both|The (?:initiative|former|latter|same|two|document|programme|exercise))(?= [a-z])")


def resolved(sentence: str, before: str) -> str:
    """The sentence with the subject of the one before it in place of a pronoun that opens it."""
    match = _LEANS.match(sentence)
    subject = subject_of(before) if match and not re.match(r"It (?:is|was) (?:\w+ )?(?:\w+ )?(?:that|to)\b", sentence) else ""
    return subject + sentence[match.end() :] if match and subject else sentence


_LEADS = re.compile(r"^(?:While|Whereas|Although|Though|Even though) ")
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|can|could|should|must|may|might|does|do|did|\w{3,}(?:ed|es)|\w{2,}s)\b(?! of)",
    re.IGNORECASE,
)
_LEAST_TERMS = 3


def clauses(sentence: str) -> list[str]:
    """The two main clauses of a sentence, each as a claim of its own; the sentence alone where it has no two."""
    lead = _LEADS.match(sentence)
    body = sentence[lead.end() :] if lead else sentence
    split = re.compile(r", (?!and )" if lead else r"(?:, (?:and|but|while|whereas|although|though|yet) |; )")
    for match in split.finditer(body):
        parts = [_sentence(body[: match.start()].strip()), _sentence(body[match.end() :].strip())]
        if all(_VERB.search(part) and len(set(read_claim(part).terms)) >= _LEAST_TERMS for part in parts):
            return [parts[0], resolved(parts[1], parts[0])]
    return [sentence]


def _names_someone(who: str) -> bool:
    return bool(_THE_WORK.match(who)) or bool(_people(read_claim(f"x {who}")))


def _people(claim: Claim) -> list[str]:
    return [name.text for name in claim.names]


def _sentence(core: str) -> str:
    return core[:1].upper() + core[1:]
