"""To ONNX, for onnxruntime in any language: a graph of standard operators (opset 17), with the state going in and out.

Inputs and outputs of a Transformer carry the names Hugging Face's Optimum gives them, so that programs written for its
exports run ours. One graph serves prompt and continuation: the first call gives a past of length 0.
"""

from pathlib import Path
from typing import Any

from mofang.studio.errors import UserError
from mofang.text.export.onnx_graph import Graph
from mofang.text.export.onnx_recurrent import recurrent
from mofang.text.export.onnx_transformer import transformer
from mofang.text.export.place import MARK, marked, new_file
from mofang.text.export.source import Source

OPSET = 17
IR_VERSION = 8
LARGEST = 2_000_000_000
"""Bytes: a protocol buffer ends at 2 GiB."""


def write_onnx(source: Source, target: Path) -> None:
    """One file, weights in float32 inside. Checked by `onnx.checker` before it takes its name.

    Transformer: `input_ids` (B, T), `attention_mask` (B, P + T), `position_ids` (B, T), all int64, and for each layer
    `past_key_values.N.key` and `.value` (B, KV heads, P, head size) → `logits` (B, T, V), `present.N.key` and `.value`.
    Recurrent: `input_ids` (B, T), `h0` (layers, B, H) and for LSTMs `c0` → `logits`, `hn`, `cn`. Raises `UserError` for a
    model beyond 2 GB, a taken or full place.
    """
    import onnx

    if 4 * sum(tensor.size for tensor in source.tensors.values()) > LARGEST:
        raise UserError("the model is larger than an ONNX file may be (2 GB); export it with --to hf or --to gguf")
    graph = Graph(source.tensors)
    if source.kind == "qwen3":
        transformer(graph, source.config, source.rope_theta)
    else:
        recurrent(graph, source.config)
    model: Any = onnx.helper.make_model(
        graph.proto(source.name), opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        producer_name=MARK.decode(),
    )  # fmt: skip
    entries = {"mofang.name": source.name, "mofang.licence": str(source.card.get("licence", "")),
               "mofang.model_type": source.kind}  # fmt: skip
    onnx.helper.set_model_props(model, entries)
    with new_file(target, marked) as path:
        path.write_bytes(model.SerializeToString())
        onnx.checker.check_model(str(path), full_check=True)
