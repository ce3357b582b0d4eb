"""Diffusion checkpoints small enough to be built in a test: random weights, every part of the real ones."""

from pathlib import Path
from typing import Any

WORDS = [
    "fox", "scarf", "red", "blue", "moon", "river", "night", "snow", "hill", "house", "tree", "old", "young", "cat", "dog",
    "castle", "bridge", "boat", "star", "lamp", "gold", "silver", "garden", "window", "rain", "wind", "fire", "stone", "road",
    "bird",
]  # fmt: skip
SIDE = 32
"""Pixels the tiny checkpoints paint in."""


def clip_tokenizer() -> Any:
    """Letters, and the words above as one token each."""
    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:()!ĠÄåæçèé¤§½¿ĢģĤĥ"
    vocabulary = ["!", *(each for each in letters if each != "!"), *(f"{each}</w>" for each in letters)]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in merges:
                merges.append(pair)
            if "".join(pair) not in vocabulary:
                vocabulary.append("".join(pair))
            parts[:2] = ["".join(pair)]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: number for number, token in enumerate(vocabulary)}, merges=merges, model_max_length=77)


def clip(tokenizer: Any, width: int = 32, projected: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=width, intermediate_size=37, num_hidden_layers=3,
                            num_attention_heads=4, projection_dim=width, bos_token_id=tokenizer.bos_token_id,
                            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)  # fmt: skip
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
    # As it begins, an encoder says nearly the same of everything.
    for name, weight in model.named_parameters():
        if "embedding" in name or "projection" in name:
            weight.data.mul_(20)
    return model.eval()


def t5(width: int = 32) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -3.0) for word in WORDS),
              *((letter, -9.0) for letter in "▁abcdefghijklmnopqrstuvwxyz0123456789.,")]  # fmt: skip
    raw = Tokenizer(models.Unigram(pieces, unk_id=2))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.post_processor = processors.TemplateProcessing("$A </s>", None, [("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    config = T5Config(vocab_size=len(pieces), d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return tokenizer, T5EncoderModel(config).eval()


def unet(**more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    usual: dict[str, Any] = {
        "block_out_channels": (32, 64), "layers_per_block": 1, "sample_size": SIDE // 2, "in_channels": 4, "out_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 32, "norm_num_groups": 8,
    }  # fmt: skip
    return UNet2DConditionModel(**{**usual, **more})


def vae(**more: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(block_out_channels=(32, 64), in_channels=3, out_channels=3, norm_num_groups=8,
                         down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
                         **{"latent_channels": 4, **more})  # fmt: skip


def scheduler() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
                         set_alpha_to_one=False,
                         steps_offset=1)  # fmt: skip


def sd15(folder: Path) -> Path:
    """Stable Diffusion 1.5."""
    import torch
    from diffusers import StableDiffusionPipeline

    torch.manual_seed(1)
    tokenizer = clip_tokenizer()
    StableDiffusionPipeline(vae(), clip(tokenizer), tokenizer, unet(), scheduler(), None, None,
                            requires_safety_checker=False).save_pretrained(folder)  # fmt: skip
    return folder


def sdxl(folder: Path) -> Path:
    """Stable Diffusion XL."""
    import torch
    from diffusers import StableDiffusionXLPipeline

    torch.manual_seed(2)
    tokenizer = clip_tokenizer()
    network = unet(addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=80,
                   transformer_layers_per_block=(1, 2), cross_attention_dim=64)  # fmt: skip
    StableDiffusionXLPipeline(vae(), clip(tokenizer), clip(tokenizer, projected=True), tokenizer, tokenizer, network,
                              scheduler()).save_pretrained(folder)  # fmt: skip
    return folder


def sd3(folder: Path) -> Path:
    """Stable Diffusion 3."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    torch.manual_seed(3)
    tokenizer, (tokenizer_3, encoder_3) = clip_tokenizer(), t5(64)
    network = SD3Transformer2DModel(sample_size=SIDE // 2, patch_size=1, in_channels=16, num_layers=1, attention_head_dim=8,
                                    num_attention_heads=4, caption_projection_dim=32, joint_attention_dim=64,
                                    pooled_projection_dim=64, out_channels=16)  # fmt: skip
    StableDiffusion3Pipeline(network, FlowMatchEulerDiscreteScheduler(), vae(shift_factor=0.1, latent_channels=16),
                             clip(tokenizer, projected=True), tokenizer, clip(tokenizer, projected=True), tokenizer,
                             encoder_3, tokenizer_3).save_pretrained(folder)  # fmt: skip
    return folder


def flux(folder: Path) -> Path:
    """Flux."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    torch.manual_seed(4)
    tokenizer, (tokenizer_2, encoder_2) = clip_tokenizer(), t5()
    network = FluxTransformer2DModel(patch_size=1, in_channels=4 * 4, num_layers=1, num_single_layers=1, attention_head_dim=16,
                                     num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32,
                                     axes_dims_rope=(4, 4, 8))  # fmt: skip
    FluxPipeline(FlowMatchEulerDiscreteScheduler(), vae(shift_factor=0.1), clip(tokenizer), tokenizer, encoder_2, tokenizer_2,
                 network).save_pretrained(folder)  # fmt: skip
    return folder
