"""Any service that speaks OpenAI's images protocol: DALL·E 2 and 3, gpt-image, and everything compatible.

Protocol: https://platform.openai.com/docs/api-reference/images
"""

import base64
import binascii
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mofang.image.engines.base import Image, Painted, Request, check
from mofang.image.engines.frames import covering, kept_outside, padded, resized
from mofang.models.service import File, Patience, Refused, Service, short
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.studio.progress import Progress, silent

ADDRESS = "https://api.openai.com/v1"
LARGEST = 200_000_000
"""Bytes of an answer: ten large pictures in base64."""
_DECLINED = {"content_policy_violation", "moderation_blocked", "content_filter", "sensitive_words_detected"}


@dataclass(frozen=True)
class Kind:
    """What a family of models takes: prompt length in characters, sizes (none: any), pictures at once, words for quality,
    style and background, and whether it edits and varies. `hinted`: it must be told to answer in base64."""

    longest: int
    sizes: tuple[tuple[int, int], ...] = ()
    at_once: int = 1
    quality: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    edits: bool = True
    varies: bool = False
    hinted: bool = True


_WIDE = ((1024, 1024), (1536, 1024), (1024, 1536))
KINDS = {
    "dall-e-2": Kind(1000, ((256, 256), (512, 512), (1024, 1024)), 10, varies=True),
    "dall-e-3": Kind(4000, ((1024, 1024), (1792, 1024), (1024, 1792)), 1, ("standard", "hd"), ("vivid", "natural"), edits=False),
    "gpt-image": Kind(32_000, _WIDE, 10, ("low", "medium", "high", "auto"), (), ("transparent", "opaque", "auto"), hinted=False),
}
"""By the beginning of the model's name."""
ANY = Kind(20_000, varies=True)
"""Of a compatible service nothing is known; what it is asked is passed on as it is."""


class OpenAIPictures:
    """Pictures by `model` at `base_url` (with its `/v1`).

    A size the model does not have is painted in the nearest shape that it has, and cut and brought to size here. With an
    image and words it edits, with an image and none it varies. The services hear no seed.
    """

    version = "1"
    hears = frozenset({"quality", "style", "background", "image", "mask"})
    exact = False
    cut_out = False

    def __init__(self, base_url: str, model: str, *, key_name: str = "OPENAI_API_KEY", patience: Patience | None = None) -> None:
        if not model or not model.isprintable():
            raise UserError("name the model the service should use, such as openai:gpt-image-1")
        self.model = model
        self._service = Service(base_url, key_name=key_name, patience=patience, largest=LARGEST)
        self._kind = next((kind for start, kind in KINDS.items() if model.startswith(start)), ANY)

    def __repr__(self) -> str:
        return f"OpenAIPictures({self._service.host}, {self.model})"

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """See `PictureEngine`."""
        self._check(request)
        asked, frame = self._size(request)
        fields: dict[str, Any] = {"model": self.model} | ({"size": asked} if asked else {})
        fields |= {name: value for name in ("quality", "style", "background") if (value := getattr(request, name))}
        if self._kind.hinted:
            fields["response_format"] = "b64_json"
        elif request.background == "transparent":
            fields["output_format"] = "png"
        if request.words.strip():
            fields["prompt"] = request.words
        images: list[Image] = []
        said: list[str] = []
        while len(images) < request.count:
            fields["n"] = min(request.count - len(images), self._kind.at_once)
            answer = self._ask(request, fields, frame)
            made, revised = self._pictures(answer)
            images += made[: request.count - len(images)]
            said += revised
            progress(len(images) / request.count, f"{len(images)}/{request.count}")
        facts: dict[str, Any] = {"service": self._service.host, "asked_size": asked} | ({"revised": said} if said else {})
        return Painted(tuple(self._fitted(image, request, frame) for image in images), (Credit(self.model, "", "unknown"),), facts)

    def close(self) -> None:
        """Nothing is kept open between requests."""

    # -- what is asked -------------------------------------------------------------------------------------------------

    def _check(self, request: Request) -> None:
        kind = self._kind
        check(request, self.hears, self.model)
        if len(request.words) > kind.longest:
            raise UserError(f"{self.model} reads {kind.longest:,} characters, the description has {len(request.words):,}; shorten it")
        for name in ("quality", "style", "background"):
            value, known = getattr(request, name), getattr(kind, name)
            if value and kind is not ANY and value not in known:
                able = f"choose one of: {', '.join(known)}" if known else f"leave --{name} out"
                raise UserError(f"{self.model} has no {name} '{value[:30]}'; {able}")
        if request.image is not None and not kind.edits:
            raise UserError(f"{self.model} does not start from a picture; use openai:gpt-image-1 or openai:dall-e-2")
        if request.image is not None and not request.words.strip() and (request.mask is not None or not kind.varies):
            raise UserError(f"{self.model} has to be told what to make of the picture; add words")

    def _size(self, request: Request) -> tuple[str, tuple[int, int] | None]:
        """What is asked for, and the frame an image is sent in."""
        wanted = request.size
        if wanted is None and request.image is not None:
            wanted = request.image.shape[1], request.image.shape[0]
        if not self._kind.sizes:
            return (f"{wanted[0]}x{wanted[1]}" if wanted else ""), wanted
        if wanted is None:
            frame = self._kind.sizes[-1 if len({wide == high for wide, high in self._kind.sizes}) == 1 else 0]
        else:
            # The shape first, then the smallest that is large enough.
            ratio, side = wanted[0] / wanted[1], max(wanted)
            frame = min(self._kind.sizes, key=lambda size: (abs(np.log(size[0] / size[1] / ratio)), max(size) < side,
                                                            abs(max(size) - side)))  # fmt: skip
        return f"{frame[0]}x{frame[1]}", frame

    def _ask(self, request: Request, fields: dict[str, Any], frame: tuple[int, int] | None) -> Any:
        try:
            if request.image is None:
                return self._service.post("/images/generations", fields)
            size = frame or (request.image.shape[1], request.image.shape[0])
            image, mask, _ = padded(request.image, request.mask, size)
            files = [("image", File("image.png", _png(image), "image/png"))]
            if mask is not None:
                files.append(("mask", File("mask.png", _png(_cleared(image, mask)), "image/png")))
            where = "edits" if request.words.strip() else "variations"
            return self._service.post_form(f"/images/{where}", {name: str(value) for name, value in fields.items()}, files)
        except Refused as refused:
            host, said = self._service.host, refused.said
            if refused.code in _DECLINED or "safety system" in said or "content policy" in said:
                raise UserError(f"{host} declines these words or this picture ({said}); say it otherwise") from refused
            todo = {404: f"check the address (it usually ends in /v1) and the model name '{self.model}'"}
            raise UserError(f"{host} answered {refused.status} ({said}); {todo.get(refused.status, 'check the model and the request')}"
                            ) from refused  # fmt: skip

    # -- what comes back -------------------------------------------------------------------------------------------------

    def _pictures(self, answer: Any) -> tuple[list[Image], list[str]]:
        entries = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            said = answer.get("error") if isinstance(answer, dict) else None
            why = f" ({short(said.get('message', said) if isinstance(said, dict) else said)})" if said else ""
            raise UserError(f"{self._service.host} sent no picture{why}; check that {self.model} is a model that paints")
        images = []
        for entry in entries:
            if isinstance(coded := entry.get("b64_json"), str) and coded:
                try:
                    raw = base64.b64decode(coded.partition(",")[2] if coded.startswith("data:") else coded, validate=True)
                except (binascii.Error, ValueError) as error:
                    raise UserError(f"{self._service.host} sent a picture that is damaged; ask again") from error
            elif isinstance(url := entry.get("url"), str) and url:
                raw = self._service.fetch(url)
            else:
                raise UserError(f"{self._service.host} sent no picture; check that {self.model} is a model that paints")
            images.append(self._decoded(raw))
        return images, [revised for entry in entries if isinstance(revised := entry.get("revised_prompt"), str) and revised]

    def _decoded(self, raw: bytes) -> Image:
        from PIL import Image as Pillow

        try:
            with Pillow.open(io.BytesIO(raw), formats=("PNG", "JPEG", "WEBP")) as image:
                if image.width * image.height > 64_000_000:
                    raise ValueError("too large")
                return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")).copy()
        except Exception as error:  # Decoders meet a damaged file with whatever breaks first.
            raise UserError(f"{self._service.host} sent a picture that is damaged; ask again") from error

    def _fitted(self, image: Image, request: Request, frame: tuple[int, int] | None) -> Image:
        if request.image is None:
            return covering(image, request.size) if request.size else image
        size = request.size or (request.image.shape[1], request.image.shape[0])
        if frame is not None:
            # The frame had margins around the picture: they go again.
            left, top, wide, high = padded(request.image[..., :3], None, frame)[2]
            image = resized(image, frame)[top : top + high, left : left + wide]
        image = resized(np.ascontiguousarray(image), size)
        if request.mask is None:
            return image
        import cv2

        mask = cv2.resize(request.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        return kept_outside(image, resized(request.image, size), mask)


def open_engine(rest: str, loras: Sequence[str], controlnet: str, studio: Path | None) -> OpenAIPictures:
    """See `mofang.image.engines.open_engine`. The address is `OPENAI_BASE_URL`, or OpenAI's."""
    return OpenAIPictures(os.environ.get("OPENAI_BASE_URL", "").strip() or ADDRESS, rest)


def _cleared(image: Image, mask: NDArray[np.bool_]) -> Image:
    """The picture, transparent where it is to be painted anew: how the protocol writes a mask."""
    return np.dstack([image[..., :3], np.where(mask, 0, 255).astype(np.uint8)])


def _png(image: Image) -> bytes:
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "PNG")
    return file.getvalue()
