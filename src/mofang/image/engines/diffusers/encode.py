"""Prompts of any length and with weights, as the text encoders of diffusion models see them.

CLIP looks at 77 tokens. A longer prompt is cut between words into chunks of 75, each is encoded with a beginning and an end
of its own, and the pictures' network attends to all of them. A weight w moves a token's state along the line from what the
encoder says there of an empty prompt: e0 + w (e - e0), which leaves weight 1 untouched to the bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mofang.image.engines.diffusers.prompts import Piece, pieces, plain
from mofang.studio.errors import UserError

MOST_CHUNKS = 64
"""Of 75 tokens: 4,800 tokens describe any picture."""
MOST_T5 = 2048
"""Tokens a T5 encoder is given; its positions are relative, so it has no limit of its own."""

Ids = list[tuple[int, float]]
"""Tokens with their weights."""


@dataclass(frozen=True)
class Spoken:
    """A prompt as a pipeline's own arguments, and the words no encoder of it could take."""

    arguments: dict[str, Any]
    left_out: tuple[str, ...] = ()


def spoken(pipe: Any, words: str, negative: str, guided: bool) -> Spoken:
    """`words` and `negative` for the pipeline, as embeddings where its encoders are CLIP and T5 as Stable Diffusion and Flux
    use them, else as text."""
    name = type(pipe).__name__
    with torch.no_grad():
        if name.startswith("StableDiffusionXL"):
            return _xl(pipe, words, negative)
        if name.startswith("StableDiffusion3"):
            return _sd3(pipe, words, negative)
        if name.startswith("StableDiffusion"):
            return _sd(pipe, words, negative)
        if name.startswith("Flux") and not name.startswith("Flux2"):
            return _flux(pipe, words, negative, guided)
    said = {"prompt": plain(words)} | ({"negative_prompt": plain(negative)} if negative else {})
    return Spoken(said, tuple(filter(None, (cut_off(pipe, text) for text in said.values()))))


def conditions(pipe: Any, texts: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """What the U-Net of a Stable Diffusion (1, 2, XL) is told of each text: states (N, T, width), and for XL summaries."""
    with torch.no_grad():
        if not type(pipe).__name__.startswith("StableDiffusionXL"):
            return torch.cat([states for states, _ in _clips(pipe.tokenizer, pipe.text_encoder, texts, last=True)]), None
        both = _together([(pipe.tokenizer, pipe.text_encoder), (pipe.tokenizer_2, pipe.text_encoder_2)], texts)
        states = [torch.cat([each[at][0] for each in both], -1) for at in range(len(texts))]
        return torch.cat(states), torch.cat([summary for _, summary in both[-1]])


def _sd(pipe: Any, words: str, negative: str) -> Spoken:
    made = _clips(pipe.tokenizer, pipe.text_encoder, (words, negative), last=True)
    return Spoken({"prompt_embeds": made[0][0], "negative_prompt_embeds": made[1][0]})


def _xl(pipe: Any, words: str, negative: str) -> Spoken:
    pairs = [(t, e) for t, e in ((pipe.tokenizer, pipe.text_encoder), (pipe.tokenizer_2, pipe.text_encoder_2)) if e is not None]
    both = _together(pairs, (words, negative))
    (states, pooled), (unwanted, unwanted_pooled) = [
        (torch.cat([each[side][0] for each in both], -1), both[-1][side][1]) for side in (0, 1)
    ]
    if not negative and pipe.config.force_zeros_for_empty_prompt:
        unwanted, unwanted_pooled = torch.zeros_like(unwanted), torch.zeros_like(unwanted_pooled)
    return _four(states, pooled, unwanted, unwanted_pooled)


def _sd3(pipe: Any, words: str, negative: str) -> Spoken:
    pairs = [(pipe.tokenizer, pipe.text_encoder), (pipe.tokenizer_2, pipe.text_encoder_2)]
    both = _together(pairs, (words, negative))
    if pipe.text_encoder_3 is None:
        empty = torch.zeros(1, 256, pipe.transformer.config.joint_attention_dim, dtype=both[0][0][0].dtype)
        long = [empty.to(both[0][0][0].device)] * 2
    else:
        long = _t5s(pipe.tokenizer_3, pipe.text_encoder_3, (words, negative), 256)
    sides = []
    for side in (0, 1):
        clip = torch.cat([each[side][0] for each in both], -1)
        clip = torch.nn.functional.pad(clip, (0, long[side].shape[-1] - clip.shape[-1]))
        sides += [torch.cat([clip, long[side]], -2), torch.cat([each[side][1] for each in both], -1)]
    return _four(*sides)


def _flux(pipe: Any, words: str, negative: str, guided: bool) -> Spoken:
    texts = (words, negative) if guided else (words,)
    pooled = _clips(pipe.tokenizer, pipe.text_encoder, texts, last=True)
    long = _t5s(pipe.tokenizer_2, pipe.text_encoder_2, texts, 512)
    found = {"prompt_embeds": long[0], "pooled_prompt_embeds": pooled[0][1]}
    if guided:
        found |= {"negative_prompt_embeds": long[1], "negative_pooled_prompt_embeds": pooled[1][1]}
    return Spoken(found)


def _four(states: Tensor, pooled: Tensor, unwanted: Tensor, unwanted_pooled: Tensor) -> Spoken:
    return Spoken({"prompt_embeds": states, "pooled_prompt_embeds": pooled, "negative_prompt_embeds": unwanted,
                   "negative_pooled_prompt_embeds": unwanted_pooled})  # fmt: skip


# -- CLIP ----------------------------------------------------------------------------------------------------------------


def _together(pairs: Sequence[tuple[Any, Any]], texts: Sequence[str]) -> list[list[tuple[Tensor, Tensor]]]:
    """Each encoder's states and summary of each text; all in as many chunks as the longest needs in any vocabulary."""
    most = max(len(chunks(tokenizer, text)) for tokenizer, _ in pairs for text in texts)
    return [_clips(tokenizer, encoder, texts, last=False, least=most) for tokenizer, encoder in pairs]


def _clips(tokenizer: Any, encoder: Any, texts: Sequence[str], last: bool, least: int = 1) -> list[tuple[Tensor, Tensor]]:
    """States (1, 77·chunks, width) and summary (1, width) of each text, as many chunks for all.

    `last` takes the final layer after its norm (Stable Diffusion 1 and 2), else the last but one (XL, 3). The summary is
    the mean over chunks with words in them, so that the end of a long prompt has its say.
    """
    cut = [chunks(tokenizer, text) for text in texts]
    most = max(least, *map(len, cut))
    empty, empty_summary = _chunk(tokenizer, encoder, [], last)
    made = []
    for each in cut:
        states, summaries = [], []
        for ids in each:
            state, summary = _chunk(tokenizer, encoder, ids, last)
            states.append(_weighed(state, empty, [1.0, *(weight for _, weight in ids)]))
            summaries.append(summary)
        states += [empty] * (most - len(each))
        made.append((torch.cat(states, 1), torch.stack(summaries or [empty_summary]).mean(0)))
    return made


def _chunk(tokenizer: Any, encoder: Any, ids: Ids, last: bool) -> tuple[Tensor, Tensor]:
    length = tokenizer.model_max_length
    row = [tokenizer.bos_token_id, *(token for token, _ in ids), tokenizer.eos_token_id]
    row += [tokenizer.pad_token_id] * (length - len(row))
    out = encoder(torch.tensor([row], device=encoder.device), output_hidden_states=True)
    summary = out.text_embeds if "text_embeds" in out else out.pooler_output
    return out.last_hidden_state if last else out.hidden_states[-2], summary


def chunks(tokenizer: Any, prompt: str) -> list[Ids]:
    """The tokens of a prompt in chunks as long as the encoder sees at once, less its begin and end; no word is cut in two
    that fits into a chunk. Raises `UserError` for a prompt beyond all use."""
    room = tokenizer.model_max_length - 2
    found: list[Ids] = []
    waiting = _ids(tokenizer, pieces(prompt))
    whole = [str(token).endswith("</w>") for token in tokenizer.convert_ids_to_tokens([token for token, _ in waiting])]
    start = 0
    while start < len(waiting):
        end = min(start + room, len(waiting))
        if end < len(waiting):
            end = next((at for at in range(end, start, -1) if whole[at - 1]), end)
        found.append(waiting[start:end])
        start = end
    if len(found) > MOST_CHUNKS:
        raise UserError(f"the description has {len(waiting):,} tokens; a picture is described in at most {MOST_CHUNKS * room:,}")
    return found or [[]]


def _ids(tokenizer: Any, parts: Sequence[Piece]) -> Ids:
    found: Ids = []
    for part in parts:
        if part.words.strip():
            ids = tokenizer(part.words.strip(), add_special_tokens=False, truncation=False, verbose=False).input_ids
            found += [(token, part.weight) for token in ids]
    return found


def _weighed(states: Tensor, empty: Tensor, weights: Sequence[float]) -> Tensor:
    """`states` (1, T, width) of tokens with `weights`, those beyond the list weighing 1."""
    if all(weight == 1.0 for weight in weights):
        return states
    full = torch.ones(states.shape[1], 1, dtype=states.dtype, device=states.device)
    full[: len(weights), 0] = torch.tensor(weights, dtype=states.dtype)
    return torch.where(full == 1, states, torch.lerp(empty, states, full))


# -- T5 ------------------------------------------------------------------------------------------------------------------


def _t5s(tokenizer: Any, encoder: Any, texts: Sequence[str], usual: int) -> list[Tensor]:
    """States (1, T, width) of each text, padded to `usual` tokens as the network was trained with, or longer for all."""
    rows = [_ids(tokenizer, pieces(text)) for text in texts]
    length = max(usual, *(len(row) + 1 for row in rows))
    if length > MOST_T5:
        raise UserError(f"the description has {length:,} tokens; describe the picture in at most {MOST_T5:,}")
    made = []
    for row in rows:
        state = _t5(tokenizer, encoder, [token for token, _ in row], length)
        weights = [weight for _, weight in row]
        if any(weight != 1.0 for weight in weights):
            state = _weighed(state, _t5(tokenizer, encoder, [], length), weights)
        made.append(state)
    return made


def _t5(tokenizer: Any, encoder: Any, ids: Sequence[int], length: int) -> Tensor:
    row = [*ids, tokenizer.eos_token_id]
    row += [tokenizer.pad_token_id] * (length - len(row))
    states: Tensor = encoder(torch.tensor([row], device=encoder.device))[0]
    return states


# -- what does not fit ---------------------------------------------------------------------------------------------------


def cut_off(pipe: Any, text: str) -> str:
    """The end of `text` that an encoder with a fixed limit will not see, in its own tokens' spelling; empty for none."""
    ends = []
    for name, tokenizer in pipe.components.items():
        most = getattr(tokenizer, "model_max_length", 0)
        if name.startswith("tokenizer") and 0 < most < 1_000_000:
            ids = tokenizer(text, truncation=False, verbose=False).input_ids
            if len(ids) > most:
                ends.append(tokenizer.decode(ids[most - 1 :], skip_special_tokens=True).strip())
    return max(ends, key=len, default="")
