"""What a model writes when nobody chooses: the texts that variety and copying are measured on."""

from collections.abc import Sequence

from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent
from mofang.text.own import OwnModel
from mofang.text.sampling import Sampling


def samples(model: OwnModel, prompts: Sequence[str], count: int, length: int, sampling: Sampling, seed: int,
            progress: Progress = silent) -> list[str]:  # fmt: skip
    """`count` continuations of at most `length` tokens after the prompts in turn; the prompts are not the model's words."""
    texts: list[str] = []
    for at, prompt in enumerate(prompts):
        if asked := len(range(at, count, len(prompts))):
            made = model.write(prompt, n=asked, max_tokens=length, sampling=sampling, seed=seed + len(texts))
            texts += [each.text for each in made]
        progress(len(texts) / count, "samples")
    return texts


def writes_poems(model: OwnModel) -> bool:
    """Whether the model's card says that it writes whole poems under a heading (`mofang.text.poem`)."""
    from mofang.text.poem import FORM

    return dict(model.card.get("format") or {}).get("form") == FORM


def poems(model: OwnModel, headings: Sequence[str], count: int, seed: int, progress: Progress = silent) -> list[str]:
    """`count` poems as `mofang text write` gives them, form kept and the best of several drafts, under the headings in turn
    (`七绝|title`, or a title alone; those that cannot be asked for are written without one)."""
    from mofang.text.forms.regulated import FORMS
    from mofang.text.poem import write_poem

    texts = []
    for at in range(count):
        heading = headings[at % len(headings)]
        form, _, ask = heading.partition("|") if "|" in heading else ("", "", heading)
        form = form if form in FORMS else ""
        try:
            (poem,) = write_poem(model, ask, form, seed=seed + at)
        except UserError:
            (poem,) = write_poem(model, "", form, seed=seed + at)
        texts.append(poem.body)
        progress((at + 1) / count, "samples")
    return texts


def body(document: str) -> str:
    """A poem's document without its heading."""
    heading, _, rest = document.partition("\n")
    return rest if "|" in heading else document
