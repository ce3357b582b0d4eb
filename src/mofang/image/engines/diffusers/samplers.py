"""How noise is taken away, by the names painters know."""

from typing import Any

from mofang.studio.errors import UserError

SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True}),
    "lms": ("LMSDiscreteScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2-a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {}),
    "dpm++-karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpm++-sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
}
FLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "flow-euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "flow-heun": ("FlowMatchHeunDiscreteScheduler", {}),
}
"""Of models that learned a flow (SD3, Flux)."""


def sampler(library: Any, name: str, before: Any) -> Any:
    """The scheduler called `name`, set as the checkpoint's own, `before`, is. Raises `UserError` for one that does not fit."""
    known = FLOW if type(before).__name__.startswith("FlowMatch") else SAMPLERS
    if name not in known:
        raise UserError(f"this checkpoint has no sampler '{name[:30]}'; choose one of: {', '.join(known)}")
    kind, more = known[name]
    return getattr(library, kind).from_config(before.config, **more)
