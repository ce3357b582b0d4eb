"""Texts written by any model, each an asset with its recipe.

>>> order = Order("从前有座山", tokens=60, n=2, seed=7)
>>> [making.asset.path.read_text() for making in write(studio, "prose-en", order)]
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mofang import trust
from mofang.apps.export import part, release
from mofang.apps.make.script import text_engine
from mofang.models import own
from mofang.studio import Made, Making, Recipe, Studio, UserError
from mofang.studio.credit import Credit
from mofang.studio.library import file_hash
from mofang.text import forms
from mofang.text.engines.base import check_prompt
from mofang.text.language import language_of
from mofang.text.own import OwnModel
from mofang.text.sampling import Constraint, Sampling

ENGINE, VERSION = "own-text", "1"
"""Of recipes; raise the version when the same recipe would give other bytes."""
SUFFIXES = (".txt", ".md")
FOREIGN = ("gguf", "transformers", "openai")

OnText = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be written: `n` texts of at most `tokens` tokens each after the `prompt`.

    The i-th text is what `seed` + i writes alone; with `beams` it is the i-th best. `bias` makes words likelier or less,
    `ban` impossible; `form` is a rule the text keeps (`mofang.text.forms`).
    """

    prompt: str
    tokens: int = 256
    n: int = 1
    seed: int = 0
    temperature: float = 0.9
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical: float = 1.0
    repetition: float = 1.0
    no_repeat: int = 0
    beams: int = 0
    stop: tuple[str, ...] = ()
    bias: Mapping[str, float] = field(default_factory=dict)
    ban: tuple[str, ...] = ()
    form: str = ""

    def sampling(self) -> Sampling:
        """How tokens are drawn. Raises `UserError`."""
        return Sampling(self.temperature, self.top_k, self.top_p, self.min_p, self.typical, self.repetition, self.no_repeat)

    def words(self) -> dict[str, float]:
        """Biased and banned words together."""
        return {**self.bias, **dict.fromkeys(self.ban, -float("inf"))}

    def params(self, place: int) -> dict[str, Any]:
        """All of it as JSON, for the recipe of text `place`; which seed it has is said beside."""
        mine = {name: value for name, value in vars(self).items() if name not in ("prompt", "n", "seed")}
        return {**mine, "stop": list(self.stop), "ban": list(self.ban), "bias": dict(self.bias), "place": place if self.beams else 0}

    @classmethod
    def of(cls, recipe: Recipe) -> "Order":
        """The order that a recipe fulfils, for its one text (the last of `n` where beams were asked for)."""
        params: dict[str, Any] = {name: value for name, value in recipe.params.items() if name not in ("place", "where", "name")}
        params |= {name: tuple(params[name]) for name in ("stop", "ban")}
        return cls(recipe.prompt, n=recipe.params["place"] + 1, seed=recipe.seed, **params)


def is_own(model: str) -> bool:
    """Whether the name is that of a model of one's own, and not of a file or service for another engine."""
    return not (model.endswith(".gguf") or model.partition(":")[0] in FOREIGN)


def refuse(order: Order, options: Iterable[str], who: str) -> None:
    """Raise a `UserError` if the order has one of the options that `who` is not told."""
    plain = Order("")
    for option in options:
        if getattr(order, option) != getattr(plain, option):
            raise UserError(f"{who} --{option.replace('_', '-')}; leave it out")


def write(studio: Studio, model: str, order: Order, on_text: OnText | None = None, fresh: bool = False,
          notice: OnText = lambda line: None) -> list[Making]:  # fmt: skip
    """The texts of an order, prompt included where the model continues it. `on_text` hears the first as it is written.

    `model` is a name or folder of a model of one's own, a GGUF file, `transformers:PATH` or `openai:MODEL`. What was
    made before by the same recipe is not made again, unless `fresh`. `notice` hears what the user should know.
    Raises `UserError`.
    """
    for words in (order.prompt, *order.stop, *order.words()):
        check_prompt(words)
    if order.form:
        order = replace(order, form=forms.settled(order.form))
    if is_own(model):
        return _own(studio, model, order, on_text, fresh, notice)
    return _foreign(studio, model, order, on_text, fresh)


def produce(studio: Studio, recipe: Recipe, target: Path) -> None:
    """Write the text of a recipe to `target` again. Raises `UserError` if its model is gone."""
    order = Order.of(recipe)
    if recipe.engine == ENGINE:
        texts, _ = _written(folder_of(studio, recipe), order, None)
    else:
        texts = _completed(recipe.params["name"], order, None)
    _put(target, texts[-1])


def check_target(target: Path) -> None:
    """Raise a `UserError` if texts cannot be published under that name."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"a text is written to a {' or '.join(SUFFIXES)} file, not '{target.suffix}'; name it {target.stem}.txt")


def publish(studio: Studio, making: Making, target: Path) -> Path:
    """Publish a text, labelled and signed as written with a model. Raises `UserError`."""
    check_target(target)
    text = making.asset.path.read_bytes().decode()
    if not text.strip():
        raise UserError("the model wrote nothing; give it a prompt or another --seed")
    # The words it begins with are a person's.
    nature: trust.credentials.Nature = "compositeWithTrainedAlgorithmicMedia" if making.recipe.prompt else "trainedAlgorithmicMedia"
    claim = trust.Claim(" ".join(text.split())[:60], nature, language_of(text), parts=(part(making),), credits=making.made.credits)
    return release(studio, making, target, claim)


# -- models of one's own ---------------------------------------------------------------------------------------------------


def _own(studio: Studio, name: str, order: Order, on_text: OnText | None, fresh: bool, notice: OnText) -> list[Making]:
    folder = own.find(name.removeprefix("own:"), studio.folder)
    card = own.read_card(folder)
    order.sampling()  # What cannot be is said before anything is loaded.
    called = str(card.get("name") or folder.resolve().name)
    key = f"{called}@{file_hash(folder / own.WEIGHTS)}"
    recipes = [own_recipe(key, folder, order, place) for place in range(order.n)]
    credit = Credit(str(card.get("title") or called), str(card.get("author") or ""), str(card.get("licence") or "unknown"))

    def made() -> list[str]:
        texts, unseen = _written(folder, order, on_text)
        if unseen:
            notice(f"the prompt is longer than the model can look back on: its oldest {unseen} tokens were not read")
        return texts

    return _kept(studio, recipes, made, credit, fresh, on_text)


def own_recipe(key: str, folder: Path, order: Order, place: int = 0) -> Recipe:
    """The recipe of text `place` of an order to the model in `folder`; `key` is name@sha256 of its weights."""
    return Recipe(ENGINE, VERSION, key, order.prompt, {**order.params(place), "where": str(folder.resolve())},
                  order.seed + (0 if order.beams else place))  # fmt: skip


def foreign_recipe(name: str, order: Order, place: int = 0) -> Recipe:
    """The same of an order to any other model."""
    kind = "gguf" if name.endswith(".gguf") else name.partition(":")[0]
    return Recipe(f"{kind}-text", VERSION, name, order.prompt, {**order.params(0), "name": name}, order.seed + place)


def _written(folder: Path, order: Order, on_text: OnText | None) -> tuple[list[str], int]:
    """The texts of an order, and how many tokens of the prompt the model could not see."""
    model = OwnModel.open(folder)
    if dict(model.card.get("format") or {}).get("form") == "poem":
        return _poems(model, order, on_text), 0
    rule: Callable[[], Constraint] | None = None
    if order.form:
        rule = forms.parse(order.form, model.tokenizer)
    if on_text:
        on_text(order.prompt)
    written = model.write(order.prompt, n=order.n, max_tokens=order.tokens, sampling=order.sampling(), seed=order.seed,
                          stop=order.stop, constraint=rule, beams=order.beams, words=order.words(), on_text=on_text)  # fmt: skip
    return [order.prompt + each.text for each in written], model.fit(order.prompt)[1]


def _poems(model: OwnModel, order: Order, on_text: OnText | None) -> list[str]:
    """Poems about what was asked, by a model that knows nothing else."""
    from mofang.text.poem import SAMPLING, write_poem

    refuse(order, ("tokens", "beams", "stop", "bias", "ban"), f"{model.name} writes whole poems and is not told")
    sampling = SAMPLING if order.sampling() == Sampling() else order.sampling()
    poems = write_poem(model, order.prompt, order.form, n=order.n, seed=order.seed, sampling=sampling)
    if on_text:
        on_text(poems[0].text)
    return [poem.text for poem in poems]


def folder_of(studio: Studio, recipe: Recipe) -> Path:
    """Where the weights of a recipe are now: where they were, or anywhere on the shelves."""
    name, _, sha256 = recipe.model.partition("@")
    for folder in (Path(recipe.params["where"]), *own.names(studio.folder).values()):
        weights = folder / own.WEIGHTS
        if weights.is_file() and file_hash(weights) == sha256:
            return folder
    raise UserError(f"the model {name} that wrote it is gone; put it back where it was, {recipe.params['where']}")


# -- all others ------------------------------------------------------------------------------------------------------------


def _foreign(studio: Studio, name: str, order: Order, on_text: OnText | None, fresh: bool) -> list[Making]:
    require_common(name, order)
    recipes = [foreign_recipe(name, order, place) for place in range(order.n)]
    # A service may answer otherwise every time.
    fresh = fresh or name.startswith("openai:")
    return _kept(studio, recipes, lambda: _completed(name, order, on_text), Credit(name, "", "unknown"), fresh, on_text)


def require_common(name: str, order: Order) -> None:
    """Raise `UserError` if an order asks of the model `name` what only a model of one's own can do."""
    plain = Order("")
    # Of the ways to draw a token, the engines' common ones are temperature, top-p, seed and stop strings.
    for option in ("top_k", "min_p", "typical", "repetition", "no_repeat", "beams", "bias", "ban", "form"):
        if getattr(order, option) != getattr(plain, option):
            raise UserError(f"{name.partition(':')[0]} models are not told --{option.replace('_', '-')}; leave it out, or write with "
                            "a model of your own")  # fmt: skip
    order.sampling()


def _completed(name: str, order: Order, on_text: OnText | None) -> list[str]:
    engine = text_engine(name, language_of(order.prompt))
    try:
        before = "" if engine.chats else order.prompt
        if on_text:
            on_text(before)
        prompt: Any = [{"role": "user", "content": order.prompt}] if engine.chats else order.prompt
        return [before + engine.generate(
            prompt, max_tokens=order.tokens, temperature=order.temperature, top_p=order.top_p, seed=order.seed + place,
            stop=order.stop, on_text=on_text if place == 0 else None,
        ).text for place in range(order.n)]  # fmt: skip
    finally:
        engine.close()


# -- keeping ---------------------------------------------------------------------------------------------------------------


def _kept(studio: Studio, recipes: list[Recipe], made: Callable[[], list[str]], credit: Credit, fresh: bool,
          on_text: OnText | None) -> list[Making]:  # fmt: skip
    """The assets of recipes; `made` writes all of their texts at once, if any of them is missing."""
    before = [studio.find(recipe) for recipe in recipes]
    if not fresh and all(before):
        known = [making for making in before if making]
        if on_text:
            on_text(known[0].asset.path.read_bytes().decode())
        return known

    def keep(text: str) -> Callable[[Path], Made]:
        return lambda target: _put(target, text, Made((credit,), {}))

    return [studio.make(recipe, ".txt", keep(text), fresh=fresh) for recipe, text in zip(recipes, made(), strict=True)]


def _put(target: Path, text: str, made: Made | None = None) -> Made:
    target.write_bytes(text.encode())
    return made or Made()
