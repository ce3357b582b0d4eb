"""Checkpoints of MusicGen and Bark small enough to build in a test: the published architectures with random weights."""

from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _codec(transformers: Any, rate: int, bandwidth: float) -> Any:
    """An EnCodec of 50 or 75 frames a second, with four books of 16 codes."""
    return transformers.EncodecConfig(
        sampling_rate=rate, audio_channels=1, num_filters=4, hidden_size=8, codebook_size=16, codebook_dim=8,
        upsampling_ratios=[4, 4, 2], num_residual_layers=1, num_lstm_layers=1, target_bandwidths=[bandwidth],
        use_causal_conv=False, norm_type="weight_norm", chunk_length_s=None)  # fmt: skip


def musicgen(folder: Path, channels: int = 1, melody: bool = False) -> Path:
    """A MusicGen of 1600 Hz and 50 frames a second."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(3)
    kind = "MusicgenMelody" if melody else "Musicgen"
    # Weights far larger than a network begins with: words and melody must make a difference.
    decoder = getattr(transformers, f"{kind}DecoderConfig")(
        vocab_size=16, max_position_embeddings=256, num_hidden_layers=2, ffn_dim=32, num_attention_heads=2, hidden_size=16,
        num_codebooks=4 * channels, audio_channels=channels, pad_token_id=16, bos_token_id=16, initializer_factor=0.7)  # fmt: skip
    text = transformers.T5Config(vocab_size=30, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    config = getattr(transformers, f"{kind}Config")(
        text_encoder=text, audio_encoder=_codec(transformers, 1600, 0.8), decoder=decoder, initializer_factor=0.7,
        **({"num_chroma": 12, "chroma_length": 10} if melody else {}))  # fmt: skip
    network = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    settings = network.generation_config
    settings.decoder_start_token_id = settings.pad_token_id = settings.bos_token_id = 16
    settings.max_length, settings.do_sample, settings.guidance_scale = 1500, True, 3.0
    with torch.no_grad():  # Codes that all sound alike, and sounds that all have the same codes, would hide mistakes.
        for table in network.audio_encoder.quantizer.layers:
            table.codebook.embed.normal_()
        for name, value in network.audio_encoder.encoder.layers.named_parameters():
            value.mul_(0 if name.endswith("bias") and "lstm" not in name else 2)
    network.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({each: place for place, each in enumerate(["<pad>", "</s>", "<unk>", *LETTERS, " "])}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
                                         ).save_pretrained(folder)  # fmt: skip
    return folder
