"""Models of others in the Hugging Face layout: found, looked through, opened. Nothing of theirs is ever run."""

import io
import json
import re
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mofang import models
from mofang.models import own
from mofang.models.formats.gguf import gguf_header
from mofang.models.formats.safetensors import safetensors_header
from mofang.models.hub import fetch, first_line, transformers
from mofang.models.licences import licence_of
from mofang.studio.errors import UserError

FETCHED = ("config.json", "generation_config.json", "model*.safetensors", "model.safetensors.index.json", "tokenizer*", "vocab*",
           "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model", "chat_template*", "README.md", "LICENSE*")
"""Files of a repository on the hub that a model is made of; programs and pickles stay there."""  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?(?:@[\w./-]+)?")


@dataclass(frozen=True)
class Pretrained:
    """A model's files, checked: its folder, and the GGUF file in it if it is one. `parameters` counts the numbers in all
    weights; `licence` is what the model says of itself, "unknown" if nothing."""

    name: str
    folder: Path
    config: dict[str, Any]
    parameters: int
    licence: str
    gguf: str = ""

    @property
    def writes_after_reading(self) -> bool:
        """Whether it is an encoder–decoder (T5, BART), which answers a text instead of continuing it."""
        return bool(self.config.get("is_encoder_decoder"))

    @property
    def source(self) -> dict[str, Any]:
        """Arguments by which Transformers opens it, whatever it is: offline, no code, no pickles."""
        found: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        return found | ({"gguf_file": self.gguf} if self.gguf else {})


def find(name: str | Path, studio: Path | None = None) -> Pretrained:
    """The model called `name`: a folder, a GGUF file, a model of one's own by name, one of Mofang's cards (`smollm2-135m`), or
    a repository of the hub (`owner/model`, `owner/model@revision`).

    What is not there is fetched once, a repository into the hub's own cache; offline only what is there is used. Raises
    `UserError` for a model that brings code or pickles, and for files that are broken.
    """
    path = Path(name).expanduser()
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except OSError:  # Too long for a path.
        is_file = is_folder = False
    if is_file:
        return _gguf(path)
    if is_folder:
        return _folder(path, path.resolve().name)
    if str(name) in (shelf := own.names(studio)):
        return _folder(shelf[str(name)], str(name))
    if card := next((card for card in models.cards() if card.name == str(name) and card.kind == "text"), None):
        return replace(_gguf(models.ensure(card.name).file("model")), name=card.name, licence=card.licence)
    return _folder(_fetch(str(name)), str(name))


def tokenizer(model: Pretrained) -> Any:
    """Its tokenizer. Raises `UserError` if it has none that can be opened."""
    library = transformers()
    if model.gguf and (exact := _exact_tokenizer(model)):
        return exact
    try:
        return library.AutoTokenizer.from_pretrained(model.folder, **model.source)
    except Exception as error:  # Broken files raise whatever they lead to, from three packages.
        raise UserError(f"{model.name} has no tokenizer that can be opened ({first_line(error)}); fetch it whole") from error


def network(model: Pretrained, dtype: Any) -> Any:
    """Its network, weights in `dtype` ("auto": as they are kept), ready to be run and not to learn. Raises `UserError`."""
    library = transformers()
    kind = library.AutoModelForSeq2SeqLM if model.writes_after_reading else library.AutoModelForCausalLM
    more: dict[str, Any] = {} if model.gguf else {"use_safetensors": True}
    if "head_dim" in model.config and model.gguf:
        more["head_dim"] = model.config["head_dim"]
    try:
        # A GGUF file is unpacked under a bar of its own, whatever the settings say.
        with redirect_stderr(io.StringIO()) if model.gguf else nullcontext():
            found = kind.from_pretrained(model.folder, dtype=dtype, **more, **model.source).eval()
    except Exception as error:
        raise UserError(f"Transformers cannot open {model.name} ({first_line(error)}); fetch it again, or choose a model that "
                        "writes text") from error  # fmt: skip
    if model.gguf:
        # Unpacked it is quantised no more, but Transformers still says so and would not write it.
        found.hf_quantizer = None
        found.config.__dict__.pop("quantization_config", None)
    return found


def _gguf(path: Path) -> Pretrained:
    header = gguf_header(path)
    config: dict[str, Any] = {"model_type": header.text("general.architecture")}
    if config["model_type"] == "qwen3":
        # Transformers reads every size of a Qwen3 from the header but this one.
        config["head_dim"] = header.values.get("qwen3.attention.key_length", 128)
    return Pretrained(path.stem, path.parent, config, header.parameters, header.text("general.license") or "unknown", path.name)


def _exact_tokenizer(model: Pretrained) -> Any:
    """A GGUF file's tokenizer as llama.cpp cuts text, where we know the rule by its name; Transformers goes by the architecture
    alone. None where we do not."""
    import tokenizers

    from mofang.text.export.read_gguf import vocabulary_of
    from mofang.text.export.vocabulary import tokenizer_json

    header = gguf_header(model.folder / model.gguf, lists=True)
    try:
        words = vocabulary_of(header)
        fast = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(words)))
    except UserError:
        return None
    begin = header.values.get("tokenizer.ggml.bos_token_id")
    if header.values.get("tokenizer.ggml.add_bos_token") and type(begin) is int and begin < len(words.tokens):
        first = words.tokens[begin]
        fast.post_processor = tokenizers.processors.TemplateProcessing(f"{first} $A", None, [(first, begin)])
    found = transformers().PreTrainedTokenizerFast(tokenizer_object=fast, eos_token=words.tokens[words.end],
        bos_token=words.tokens[begin] if type(begin) is int and begin < len(words.tokens) else None,
        pad_token=words.tokens[words.end if words.pad is None else words.pad])  # fmt: skip
    found.chat_template = header.text("tokenizer.chat_template") or None
    return found


def _folder(folder: Path, name: str) -> Pretrained:
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UserError(f"{name} is an adapter without its model; give the folder it was merged into")
    if not (folder / "config.json").is_file():
        raise UserError(f"{name} is no model in the Hugging Face layout: it has no config.json; give the folder that has one")
    config = own.read_config(folder)
    for part in ("config.json", "tokenizer_config.json"):
        if "auto_map" in _json(folder / part):
            raise UserError(f"{name} brings programs of its own, which are not run; choose a model that Transformers knows")
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise UserError(f"{name} has no weights in safetensors; other formats can run any program when they are loaded: "
                        "convert it, or choose another model")  # fmt: skip
    parameters = 0
    for file in files:
        for key, entry in safetensors_header(file).items():
            if key != "__metadata__":
                count = 1
                for side in entry["shape"]:
                    count *= side
                parameters += count
    return Pretrained(name, folder, config, parameters, licence(folder))


def licence(folder: Path) -> str:
    """What the README's header says under `license`, or a card of ours; "unknown" if neither does."""
    if isinstance(said := _json(folder / "card.json").get("licence"), str):
        return said
    return licence_of(folder)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fetch(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise UserError(f"{name[:80]} is neither there nor a name on the hub; give a folder, a GGUF file or owner/model")
    return fetch(name, FETCHED, extra="hf")
