"""Checkpoints of MusicGen and Bark small enough to build in a test: the published architectures with random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np

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


def bark(folder: Path) -> Path:
    """A Bark of 2400 Hz that says at most 0.96 s in one go, with an English and a Chinese speaker."""
    import torch
    import transformers

    torch.manual_seed(5)
    shape: dict[str, Any] = {"block_size": 80, "num_layers": 1, "num_heads": 2, "hidden_size": 16, "dropout": 0.0,
                             "initializer_range": 0.5}  # fmt: skip
    network = transformers.BarkModel(transformers.BarkConfig(
        semantic_config=transformers.BarkSemanticConfig(input_vocab_size=240, output_vocab_size=52, **shape),
        coarse_acoustics_config=transformers.BarkCoarseConfig(input_vocab_size=90, output_vocab_size=90, **shape),
        fine_acoustics_config=transformers.BarkFineConfig(
            input_vocab_size=17, output_vocab_size=17, n_codes_total=4, n_codes_given=1, **shape),
        codec_config=_codec(transformers, 2400, 1.2)))  # fmt: skip
    for table in network.codec_model.quantizer.layers:
        table.codebook.embed.normal_()
    network.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({
        "model_type": "bark", "sample_rate": 2400, "codebook_size": 16,
        "semantic_config": {
            "eos_token_id": 50, "max_new_tokens": 48, "text_encoding_offset": 52, "text_pad_token": 238, "do_sample": True,
            "semantic_infer_token": 239, "semantic_vocab_size": 50, "max_input_semantic_length": 24, "semantic_rate_hz": 50,
            "min_eos_p": 0.015},
        "coarse_acoustics_config": {
            "coarse_semantic_pad_token": 88, "coarse_infer_token": 89, "max_coarse_input_length": 16, "max_coarse_history": 20,
            "sliding_window_len": 10, "coarse_rate_hz": 75, "do_sample": True},
        "fine_acoustics_config": {
            "max_fine_history_length": 8, "max_fine_input_length": 32, "n_fine_codebooks": 4, "temperature": 0.5}}))  # fmt: skip
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"你好世界天气很今", *LETTERS,
                                                 *(f"##{each}" for each in LETTERS)]), "utf-8")  # fmt: skip
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    index: dict[str, Any] = {"repo_or_path": "elsewhere"}
    for number, speaker in enumerate(("v2/en_speaker_6", "v2/zh_speaker_0")):
        index[speaker] = {part: f"speaker_embeddings/{speaker}_{part}.npy" for part in speaker_of(number)}
        for part, codes in speaker_of(number).items():
            path = folder / index[speaker][part]
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, codes)
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(index))
    return folder


def speaker_of(seed: int) -> dict[str, Any]:
    """The prompts of some speaker of `bark`."""
    rng = np.random.default_rng(seed)
    return {"semantic_prompt": rng.integers(0, 50, 20), "coarse_prompt": rng.integers(0, 16, (2, 30)),
            "fine_prompt": rng.integers(0, 16, (4, 30))}  # fmt: skip
