"""One checkpoint, opened once: from words, from a picture, into a mask, along a ControlNet."""

import inspect
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mofang.image.engines.base import Image, Painted, Request, check
from mofang.image.engines.diffusers import find
from mofang.image.engines.diffusers.samplers import sampler
from mofang.image.engines.frames import held_to, kept_outside, padded, resized
from mofang.models.hub import first_line
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.studio.library import file_hash
from mofang.studio.progress import Progress, silent

LARGEST_AREA = 2048 * 2048
"""Pixels that are painted at once, whatever the checkpoint says of itself."""
TILED = 1024 * 1024
"""Pixels from which the autoencoder works tile by tile: its memory grows with the area."""
MOST_STEPS = 500
_MODES = {"": "AutoPipelineForText2Image", "image": "AutoPipelineForImage2Image", "mask": "AutoPipelineForInpainting"}


class DiffusersEngine:
    """A checkpoint with its LoRAs and ControlNet.

    Pictures are painted at about the size the checkpoint learned at, in the shape that is asked for, and then brought to
    size: larger ones repeat themselves and run out of memory.
    """

    version = "1"
    hears = frozenset({"negative", "steps", "guidance", "sampler", "image", "mask", "strength", "control"})
    exact = True
    cut_out = False

    def __init__(self, checkpoint: find.Checkpoint, loras: Sequence[tuple[Path, float]] = (), controlnet: Path | None = None) -> None:
        self._library = find.library()
        self._checkpoint, self._loras, self._controlnet = checkpoint, loras, controlnet
        self.name = checkpoint.name
        # Whatever made a picture what it is: the weights, and what was laid over them.
        others = [f"{file.stem}@{file_hash(file)}:{weight:g}" for file, weight in loras]
        others += [f"{controlnet.name}@{file_hash(file)}" for file in find.component(controlnet)] if controlnet else []
        self.model = " + ".join([checkpoint.key(), *others])
        self._pipe: Any = None
        self._scheduler: Any = None
        self._modes: dict[str, Any] = {}

    def paint(self, request: Request, progress: Progress = silent) -> Painted:
        """See `PictureEngine`."""
        check(request, self.hears, self.name)
        if (self._controlnet is None) != (request.control is None):
            raise UserError("a ControlNet and the picture it follows belong together; give --controlnet and --control")
        if self._pipe is None:
            self._load()
        pipe = self._mode(request)
        size = self._size(request)
        inner = held_to(size, self._area(request), self._multiple())
        arguments, notes = self._arguments(pipe, request, inner)
        images, box = [], (0, 0, *inner)
        if request.image is not None:
            box = padded(request.image, request.mask, inner)[2]
        for at in range(request.count):
            def told(share: float, at: int = at) -> None:
                progress((at + share) / request.count, f"{at + 1}/{request.count}")

            painted = self._one(pipe, arguments, request.seed + at, told)
            left, top, wide, high = box
            image = resized(np.ascontiguousarray(painted[top : top + high, left : left + wide]), size)
            if request.image is not None and request.mask is not None:
                image = _into(request, image, size)
            images.append(image)
        credit = Credit(self.name, "", self._checkpoint.licence)
        return Painted(tuple(images), (credit,), {"painted_at": list(inner)}, tuple(notes))

    def close(self) -> None:
        """Free the model's memory."""
        self._modes.clear()
        self._pipe = None

    # -- opening -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        self._pipe = opened(self._library, self._checkpoint)
        self._scheduler = self._pipe.scheduler
        if self._controlnet is not None:
            self._follow(self._controlnet)
        self._adapt(self._loras)

    def _follow(self, folder: Path) -> None:
        kinds = {"StableDiffusion3": "SD3ControlNetModel", "StableDiffusion": "ControlNetModel", "Flux": "FluxControlNetModel"}
        name = type(self._pipe).__name__
        kind = next((model for start, model in kinds.items() if name.startswith(start)), None)
        if kind is None:
            raise UserError(f"{self.name} has no pipeline with a ControlNet; leave --controlnet out")
        try:
            net = getattr(self._library, kind).from_pretrained(
                folder, use_safetensors=True, local_files_only=True, dtype=self._pipe.dtype)  # fmt: skip
            self._modes[""] = self._library.AutoPipelineForText2Image.from_pipe(self._pipe, controlnet=net.to(self._pipe.device))
        except Exception as error:  # Broken files raise whatever they lead to, from three packages.
            raise UserError(f"{folder} does not go with {self.name} ({first_line(error)}); give a ControlNet made for it") from error
        self._pipe = self._modes[""]

    def _adapt(self, loras: Sequence[tuple[Path, float]]) -> None:
        if not loras:
            return
        if not hasattr(self._pipe, "load_lora_weights"):
            raise UserError(f"{self.name} has no pipeline that takes a LoRA; leave --lora out")
        names = [f"lora{number}" for number in range(len(loras))]
        for name, (file, _) in zip(names, loras, strict=True):
            try:
                self._pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=name, local_files_only=True)
            except Exception as error:
                raise UserError(f"{file.name} does not go with {self.name} ({first_line(error)}); it was made for another "
                                "checkpoint") from error  # fmt: skip
        if set(names) - {each for part in self._pipe.get_list_adapters().values() for each in part}:
            raise UserError(f"{loras[0][0].name} changes nothing in {self.name}; it was made for another checkpoint")
        self._pipe.set_adapters(names, [weight for _, weight in loras])

    def _mode(self, request: Request) -> Any:
        mode = "mask" if request.mask is not None else "image" if request.image is not None else ""
        if mode not in self._modes:
            try:
                self._modes[mode] = getattr(self._library, _MODES[mode]).from_pipe(self._pipe)
            except ValueError as error:
                if mode:
                    raise UserError(f"{self.name} has no pipeline that starts from a picture; leave --image out") from error
                self._modes[mode] = self._pipe
        pipe = self._modes[mode]
        pipe.set_progress_bar_config(disable=True)
        # Each request begins with a scheduler that remembers nothing.
        pipe.scheduler = sampler(self._library, request.sampler, self._scheduler) if request.sampler else \
            type(self._scheduler).from_config(self._scheduler.config)  # fmt: skip
        return pipe

    # -- sizes -------------------------------------------------------------------------------------------------------

    def _scale(self) -> int:
        return int(getattr(self._pipe, "vae_scale_factor", 8))

    def _multiple(self) -> int:
        """Of which sides must be multiples: U-Nets halve the latent at every level, transformers cut it into patches of two,
        and some pipelines insist on eight pixels."""
        network = getattr(self._pipe, "unet", None)
        halves = 2 ** (len(network.config.block_out_channels) - 1) if network is not None else 2
        return math.lcm(self._scale() * halves, 8)

    def _size(self, request: Request) -> tuple[int, int]:
        if request.size:
            return request.size
        if request.image is not None:
            return request.image.shape[1], request.image.shape[0]
        return native(self._pipe), native(self._pipe)

    def _area(self, request: Request) -> int:
        return min(native(self._pipe) ** 2, LARGEST_AREA)

    # -- one call ----------------------------------------------------------------------------------------------------

    def _arguments(self, pipe: Any, request: Request, inner: tuple[int, int]) -> tuple[dict[str, Any], list[str]]:
        from PIL.Image import fromarray

        from mofang.image.engines.diffusers.encode import spoken

        takes = inspect.signature(type(pipe).__call__).parameters
        negative_guided = bool(request.negative) and "true_cfg_scale" in takes
        said = spoken(self._pipe, request.words, request.negative, negative_guided)
        given: dict[str, Any] = dict(said.arguments)
        if negative_guided:
            given["true_cfg_scale"] = request.guidance or 4.0
        elif request.guidance is not None:
            given["guidance_scale"] = request.guidance
        if request.steps:
            if request.steps > MOST_STEPS:
                raise UserError(f"{request.steps} steps are no better than 50; give at most {MOST_STEPS}")
            given["num_inference_steps"] = request.steps
        if request.image is not None:
            image, mask, _ = padded(request.image[..., :3], request.mask, inner)
            given["image"] = fromarray(image)
            if mask is not None:
                given["mask_image"] = fromarray(mask.astype(np.uint8) * 255)
            steps = request.steps or int(takes["num_inference_steps"].default)
            if request.strength is not None:
                if int(steps * request.strength) < 1:
                    raise UserError(f"a strength of {request.strength:g} leaves none of {steps} steps; give more of either")
                given["strength"] = request.strength
        if request.control is not None:
            followed = fromarray(resized(request.control[..., :3], inner))
            given["control_image" if "control_image" in takes else "image"] = followed
        given |= {"width": inner[0], "height": inner[1]}
        notes = [f"this model does not read so far; left out: {words}" for words in said.left_out]
        return {name: value for name, value in given.items() if name in takes}, notes

    def _one(self, pipe: Any, arguments: dict[str, Any], seed: int, told: Callable[[float], None]) -> Image:
        import torch

        vae = getattr(pipe, "vae", None)
        if vae is not None and hasattr(vae, "enable_tiling"):
            (vae.enable_tiling if arguments.get("width", 0) * arguments.get("height", 0) > TILED else vae.disable_tiling)()
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
        if "callback_on_step_end" in inspect.signature(type(pipe).__call__).parameters:
            def stepped(pipe: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
                told((step + 1) / max(pipe.num_timesteps, 1))
                return tensors

            arguments = {**arguments, "callback_on_step_end": stepped}
        try:
            # Drawn on the processor: the same seed is the same noise on every machine.
            with torch.inference_mode():
                made = pipe(**arguments, generator=torch.Generator("cpu").manual_seed(seed % 2**63), output_type="np")
        except torch.OutOfMemoryError as error:
            raise UserError(f"{self.name} does not fit into the memory there is; ask for a smaller --size") from error
        except (ValueError, TypeError, RuntimeError, NotImplementedError) as error:
            raise UserError(f"{self.name} cannot paint this ({first_line(error)}); change what is asked for") from error
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            raise UserError(f"the safety checker of {self.name} withholds the picture; say it otherwise, or take another --seed")
        picture = np.asarray(made.images[0], np.float32)
        if not np.isfinite(picture).all():
            raise UserError(f"{self.name} painted something that is no picture (NaN); its weights or a LoRA are broken")
        return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)


def open_engine(rest: str, loras: Sequence[str], controlnet: str, studio: Path | None) -> DiffusersEngine:
    """See `mofang.image.engines.open_engine`. What can be refused is refused before anything is loaded."""
    find.library()
    checkpoint = find.find(rest)
    adapters = [find.find_lora(each, studio) for each in loras]
    return DiffusersEngine(checkpoint, adapters, Path(controlnet).expanduser() if controlnet else None)


def _into(request: Request, painted: Image, size: tuple[int, int]) -> Image:
    """The painted part in the old picture, which elsewhere stays as it is."""
    import cv2

    assert request.image is not None and request.mask is not None
    image = resized(request.image[..., :3], size)
    mask = request.mask
    if mask.shape != (size[1], size[0]):
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return kept_outside(painted, image, mask)


def native(pipe: Any) -> int:
    """Pixels of a side of what a pipeline's checkpoint learned from."""
    network = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
    latent = getattr(getattr(network, "config", None), "sample_size", None) or getattr(pipe, "default_sample_size", None)
    return int(latent) * int(getattr(pipe, "vae_scale_factor", 8)) if isinstance(latent, int) else 1024


def opened(library: Any, checkpoint: find.Checkpoint, whole: bool = False) -> Any:
    """The pipeline, on the card if there is one, in the type that fits; `whole`: in float32, to learn."""
    import torch

    cuda = torch.cuda.is_available()
    dtype = torch.float32
    if cuda and not whole:
        dtype = torch.bfloat16 if checkpoint.pipeline.startswith(("Flux", "StableDiffusion3")) else torch.float16
    elif not cuda and not whole and checkpoint.size > _memory() // 2:
        dtype = torch.bfloat16
    kind = getattr(library, checkpoint.pipeline, None)
    if not (isinstance(kind, type) and issubclass(kind, library.DiffusionPipeline)):
        raise UserError(f"{checkpoint.name} wants a {checkpoint.pipeline[:40]}, which this diffusers does not have; update it, or "
                        "choose another checkpoint")  # fmt: skip
    settings = find.settings(checkpoint) if checkpoint.described_by else None
    try:
        if settings:
            pipe = kind.from_single_file(str(checkpoint.path), config=str(settings), dtype=dtype, local_files_only=True)  # type: ignore[attr-defined]
        else:
            pipe = kind.from_pretrained(checkpoint.path, dtype=dtype, use_safetensors=True, local_files_only=True)  # type: ignore[attr-defined]
        # What a file does not hold stays without numbers, on torch's device "meta": some parts would fail only as they paint.
        networks = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
        if any(weight.is_meta for part in networks for weight in part.parameters()):
            raise NotImplementedError("meta tensor")
    except Exception as error:  # Broken files raise whatever they lead to, from three packages.
        todo = f"it must be a whole checkpoint, described by {settings.name}/" if settings else "fetch it again"
        why = "weights are missing" if "meta tensor" in str(error) else first_line(error)
        raise UserError(f"diffusers cannot open {checkpoint.name} ({why}); {todo}") from error
    if cuda and checkpoint.size > torch.cuda.mem_get_info()[0] * 0.8:
        pipe.enable_model_cpu_offload()
    elif cuda:
        pipe.to("cuda")
    vae = getattr(pipe, "vae", None)
    if vae is not None and hasattr(vae, "enable_slicing"):
        vae.enable_slicing()
    if torch.backends.mps.is_available():
        # Elsewhere attention is one fused operation, which needs no slicing.
        pipe.to("mps")
        pipe.enable_attention_slicing()
    return pipe


def _memory() -> int:
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 16 << 30
