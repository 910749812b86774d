"""The English words that turn a statement round: negators, modal verbs, quantifiers, opposites, numbers in words.

Closed word classes and a few hundred opposites, as plain data. What they do to a sentence is in claims.py and
verification.py. Left out: other languages; a sentence in one of them is measured by numbers, names and meaning alone.
"""

from __future__ import annotations

NEGATORS = frozenset(
    """not no never none nobody nothing neither nor without nowhere hardly barely scarcely rarely seldom unless unable
    impossible lack lacks lacked lacking fail fails failed failing failure refuse refuses refused refusing absence absent
    reluctance reluctant unwilling unwillingness few little non avoid avoids avoided avoiding miss misses missed missing
    prevent prevents prevented preventing cease ceases ceased instead short outside rather
    exempt forbid forbids forbidden ban bans banned prohibit prohibits prohibited""".split()
)
"""Words after which the opposite is said. Some are so only in part: `few`, `fail`, `avoid`."""

FAINT_NEGATORS = frozenset("without instead short outside avoid avoids avoided avoiding prevent prevents prevented preventing".split())
"""They can stand for a `not` of the other side; to leave them out does not always turn a sentence round."""

MODALS = {
    **dict.fromkeys("can could may might able possible possibly perhaps maybe potential potentially likely capable".split(), "possible"),
    **dict.fromkeys("must need needs needed obliged necessary".split(), "necessary"),
    **dict.fromkeys("should ought recommend recommends recommended shall".split(), "advised"),
    **dict.fromkeys("will would going plans planned expected expects intends intended".split(), "future"),
}
"""The class of modality that a word gives to what follows it."""

OPEN_MODALS = frozenset("possible possibly potential potentially likely necessary".split())
"""They may say as much as a modal verb of the other side, but often say something else: nothing is lost without them."""

ALLOWED = {
    "possible": frozenset({"possible"}),
    "necessary": frozenset({"necessary"}),
    "advised": frozenset({"advised", "necessary"}),
    "future": frozenset({"future"}),
}
"""What the evidence must say for a statement to use a class: advice may weaken a necessity, never the other way."""

QUANTIFIERS = {
    **dict.fromkeys("all every each everyone everything everybody always entire entirely completely fully".split(), "all"),
    **dict.fromkeys("most mostly majority generally usually largely mainly".split(), "most"),
    **dict.fromkeys("only solely exclusively merely".split(), "only"),
    **dict.fromkeys("often frequently regularly frequent regular".split(), "often"),
}

QUANTIFIED = {
    "all": frozenset({"all"}),
    "most": frozenset({"most", "all"}),
    "only": frozenset({"only"}),
    "often": frozenset({"often", "all", "most"}),
}
"""Which quantifier of the evidence carries one of the statement."""

_OPPOSITES = """
increase rise rose risen grow grew grown raise expand strengthen maximise accelerate boost
    | decrease reduce reduction fall fell fallen decline drop cut shrink lower weaken diminish minimise slow
more greater higher better larger bigger over above most | less fewer lower worse smaller under below least
before prior ahead preceding | after following since
adopt accept approve join support welcome sign endorse favour
    | reject abandon refuse oppose withdraw withdrew leave left suspend cancel
succeed success successful successfully achieve | fail failure unsuccessful
include | exclude
allow enable facilitate help promote ease encourage incentivise | prevent impede hinder obstruct block hamper discourage
first | last final
same identical | different distinct
joint jointly together | separate separately coordinated alone
exclusive exclusively | shared
floor | ceiling
efficient efficiently effective effectively | poorly badly inefficient inefficiently ineffective
obstacle barrier hindrance challenge | driver enabler
willingness willing eager | reluctance reluctant unwilling
public | private
internal | external
unilateral unilaterally | bilateral bilaterally | multilateral multilaterally
nuclear | conventional
military | civilian
new newly latest | old oldest former
strong stronger strongest | weak weaker weakest
extensive considerable great much | little limited slight
positive | negative
major main significant important substantial | minor insignificant unimportant negligible
partial partially | total totally full fully complete
temporary | permanent
quick quickly rapid rapidly fast prompt promptly | slow slowly
frequent frequently often regular regularly | rare rarely seldom infrequent
voluntary | mandatory compulsory binding
tangible concrete practical | symbolic
early earlier | late later
long longer | short shorter
high | low
rich | poor
large big great | small
easy easier easily | difficult hard
open | close
begin began begun start | end conclude finish stop
win won | lose lost
give gave given | take took taken
buy bought import | sell sold export
north northern nordic | south southern | east eastern | west western
spring | summer | autumn fall | winter
january | february | march | april | june | july | august | september | october | november | december
monday | tuesday | wednesday | thursday | friday | saturday | sunday
metre meter | foot feet | kilometre kilometer | mile | centimetre
second | minute | hour hours hourly | day daily | week weekly | month monthly
    | year yearly annual annually | decade | century | biannual biannually biennial
euro | dollar | pound | crown
value advantage benefit asset opportunity | burden disadvantage threat risk cost
cooperate collaborate alongside | compete
partner ally friend | rival enemy opponent
wet | dry
hot warm | cold cool
young | old
heavy | light
full | empty
safe | dangerous unsafe
clean | dirty
true | false
up upward | down downward
man men | woman women
"""

SLIGHT = frozenset(
    """even still yet already though although however despite because since among always necessarily rather quite really
    just indeed thus hence therefore moreover furthermore namely whereas whilst unlike like another according
    nearly almost about around approximately roughly""".split()
)
"""Words that the analyser keeps and that say nothing which evidence could support."""

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split()
    )
} | {word: 10 * (n + 2) for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}

FRACTIONS = {"half": 0.5, "halves": 0.5, "quarter": 0.25, "quarters": 0.25}

MONTHS = frozenset("january february march april may june july august september october november december".split())

SEASONS = {
    "spring": frozenset("spring march april may".split()),
    "summer": frozenset("summer june july august".split()),
    **dict.fromkeys(("autumn", "fall"), frozenset("autumn fall september october november".split())),
    "winter": frozenset("winter december january february".split()),
}
"""A season -> what a source may call it."""

DEMONYMS = {"american": "us", "americans": "us", "british": "uk", "britons": "uk"}
"""Those that share no root with the name."""

LIGHT = frozenset(
    """today nowadays currently recently now still already ever again soon later then early yet
    hold holds held holding take takes took taken taking place make makes made making give gives gave given giving put puts bring brings
    brought set sets get gets got tell tells told say says said use uses used using meet meets met keep keeps kept show shows shown come
    comes came go goes went gone become becomes became begin started start happen happened involve involves involved
    organisation organisations organization organizations institution institutions side sides party parties body bodies member members
    state states country countries nation nations paper report author brief study publication document""".split()
)
"""Words that say little by themselves: a writer changes them freely, and points at what the sources name with them."""

MULTIPLIERS = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}

ORDINALS = {
    word: n
    for n, word in enumerate(
        "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth".split()
    )
}

OPENERS = frozenset(
    """the a an this that these those it they he she we i you its their his her our my in on at by for from of to with without
    as and but or nor so yet if while whilst whereas although though because since when where who what which how why after
    before during until unless despite notwithstanding however moreover furthermore additionally also besides therefore thus
    hence consequently nevertheless nonetheless instead meanwhile similarly likewise finally first firstly second secondly
    third thirdly overall generally specifically notably according based given under over about between among through within
    there here both either neither each every all some any no not only even most many several few more less such one two
    three four five six seven eight nine ten today nowadays currently recently now then apart contrary unlike like""".split()
)
"""Words that may open a sentence with a capital and are no names."""


def opposites() -> list[tuple[frozenset[str], ...]]:
    """Groups of sides; a word of one side denies what a word of another side says. Regular inflections are left out."""
    lines = _OPPOSITES.strip().replace("\n    |", " |").splitlines()
    return [tuple(frozenset(side.split()) for side in line.split("|")) for line in lines]
