"""Just enough English morphology to look words up: dictionary forms, and noun or verb by the words around."""

IRREGULAR = dict(pair.split(":") for pair in """
mice:mouse geese:goose men:man women:woman children:child feet:foot teeth:tooth wolves:wolf leaves:leaf knives:knife
lives:life wives:wife loaves:loaf halves:half shelves:shelf scarves:scarf thieves:thief oxen:ox people:people sheep:sheep
grandchildren:grandchild fishermen:fisherman firemen:fireman policemen:policeman snowmen:snowman fairies:fairy
was:be were:be is:be are:be am:be been:be had:have has:have did:do does:do went:go gone:go came:come saw:see seen:see ran:run
sat:sit sang:sing swam:swim flew:fly flown:fly fell:fall fallen:fall felt:feel found:find grew:grow grown:grow
held:hold kept:keep knew:know left:leave lit:light lost:lose made:make met:meet paid:pay rode:ride rose:rise
risen:rise said:say sent:send shone:shine slept:sleep spoke:speak spent:spend stood:stand stole:steal swept:sweep took:take
taken:take taught:teach thought:think told:tell threw:throw thrown:throw woke:wake wore:wear worn:wear won:win wrote:write
written:write ate:eat eaten:eat drank:drink drove:drive driven:drive built:build bought:buy brought:bring began:begin
blew:blow broke:break broken:break caught:catch chose:choose crept:creep cut:cut drew:draw drawn:draw dug:dig froze:freeze
frozen:frozen fought:fight forgot:forget gave:give given:give heard:hear hid:hide hidden:hide lay:lie led:lead
bit:bite sank:sink shook:shake sold:sell sought:seek wept:weep laid:lay dying:die lying:lie tying:tie
glasses:glasses clothes:clothes news:news series:series species:species always:always bus:bus gas:gas this:this its:its
his:his yes:yes thus:thus christmas:christmas chess:chess pants:pants jeans:jeans scissors:scissors ice:ice
morning:morning evening:evening nothing:nothing something:something everything:everything anything:anything king:king
ring:ring string:string spring:spring wing:wing thing:thing sing:sing bring:bring building:building painting:painting
wedding:wedding lightning:lightning ceiling:ceiling pudding:pudding dumpling:dumpling sibling:sibling duckling:duckling
red:red bed:bed shed:shed seed:seed weed:weed speed:speed feed:feed need:need hundred:hundred sacred:sacred naked:naked
economics:economics physics:physics mathematics:mathematics athletics:athletics politics:politics earnings:earnings
savings:savings glass:glass grass:grass cross:cross dress:dress boss:boss class:class princess:princess actress:actress
waitress:waitress mattress:mattress compass:compass canvas:canvas atlas:atlas cactus:cactus octopus:octopus virus:virus
campus:campus circus:circus lotus:lotus hippopotamus:hippopotamus walrus:walrus platypus:platypus dinosaur:dinosaur
""".split())
_NOUNY = frozenset("""a an the this that these those my your his her its our their some any no every each another one two three four
five six seven eight nine ten several many few of in on at by with from into onto over under behind beside near through across
between along around like as 's little big old young red blue green white black golden small tiny great tall long new
wild warm cold bright dark first last""".split())
_VERBY = frozenset("""to will would can could must should may might shall did do does don't didn't doesn't can't couldn't won't never let please
i we you they he she it who cannot not""".split())
_WORDS = {"d": "very too so not never no longer again then there here now just only also still", "m": """one two three four five six seven
eight nine ten eleven twelve dozen hundred thousand several many few couple pair""", "r": """i you he she it we they me him us them
his her its their my our your himself herself itself themselves""", "p": """in on at by with from into onto over under behind beside near through
across between along around of to for like as off up down above below beneath inside outside toward towards""",
          "x": "the a an and or but if when while because this that these those some any every each what which who whose"}
_CLOSED = {word: what for what, words in _WORDS.items() for word in words.split()}
_AUX = frozenset("be is are was were been being am".split())


def lemma(word: str) -> str:
    """The dictionary form of a lower-case English word: exact for common words, a good guess for the rest."""
    if word.endswith("'s"):
        word = word[:-2]
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes", "oes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    if word.endswith("ied"):
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3 and any(vowel in stem for vowel in "aeiouy"):
            return _restored(stem)
    return word


def _restored(stem: str) -> str:
    """The verb behind a stem: running → run, baking → bake, walking → walk."""
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    short = len(stem) <= 4 and stem[-1] not in "aeiouwxy" and stem[-2] in "aeiou" and stem[-3] not in "aeiou"
    if stem.endswith(("v", "c", "u", "dg", "rg", "iz", "as", "os", "us", "ak", "ik", "ok", "iv", "at")) or short:
        return stem + "e"
    return stem


def tag(words: list[str], index: int) -> str:
    """n, v, d, m, r, p, name or x for `words[index]`, by closed classes, endings and the word before."""
    word = words[index].lower()
    if word in _CLOSED:
        return _CLOSED[word]
    if word[0].isdigit():
        return "m"
    if not word[0].isalpha():
        return "x"
    if index and words[index][0].isupper() and word not in {"i"}:
        return "name"
    before = words[index - 1].lower() if index else ""
    base = lemma(word)
    if before in _NOUNY:
        return "n"
    if before in _VERBY or word in _AUX or (word.endswith("ed") and base != word):
        return "v"
    if word.endswith("ing") and base != word and (before in _AUX or index == 0):
        return "v"
    if word in IRREGULAR and base != word and not word.endswith(("ce", "se", "en", "et", "th", "ves")):
        return "v"
    return "d" if word.endswith("ly") else "n"
