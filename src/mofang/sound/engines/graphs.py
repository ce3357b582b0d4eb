"""Small surgery on ONNX graphs: give out inner tensors, and make 8-bit convolutions meet the CPU's fast path."""

from typing import Any

import numpy as np


def expose(model: Any, outputs: tuple[str, ...]) -> None:
    """Make the inner tensors `outputs` outputs of the model's graph as well."""
    import onnx

    inner = {name for node in model.graph.node for name in node.output}
    for name in outputs:
        assert name in inner, f"no tensor {name} in this graph"
        model.graph.output.append(onnx.ValueInfoProto(name=name))


def sign_activations(model: Any) -> int:
    """Let every `ConvInteger` read int8 activations where it read uint8 ones; returns how many there were.

    A convolution multiplies its weights (left) by its input (right). Dot-product instructions (VNNI) want the left
    unsigned and the right signed, and `quantize_dynamic` leaves both unsigned. Moving the input and its zero point
    down by 128 changes no difference between them, so every sum stays the same integer.
    """
    import onnx

    zeros = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    signed: dict[str, str] = {}
    nodes: list[Any] = []
    found = 0

    def sign(name: str) -> str:
        if name not in signed:
            signed[name] = name + "_signed"
            # Flipping the top bit of a byte and reading it as signed subtracts 128.
            nodes.append(onnx.helper.make_node("BitwiseXor", [name, "top_bit"], [name + "_flipped"]))
            nodes.append(onnx.helper.make_node("Cast", [name + "_flipped"], [signed[name]], to=onnx.TensorProto.INT8))
        return signed[name]

    for node in model.graph.node:
        if node.op_type == "ConvInteger" and zeros[node.input[1]] == onnx.TensorProto.UINT8:
            node.input[0], node.input[2] = sign(node.input[0]), sign(node.input[2])
            found += 1
        nodes.append(node)
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(128, np.uint8), "top_bit"))
    return found


def exact_signed_products() -> bool:
    """Whether this CPU adds up uint8 × int8 products exactly.

    x86 without VNNI sums pairs of products in 16 bits and clips them (onnxruntime, "Quantize ONNX models: data type
    selection"); there the signed graph would sound wrong, and slow integers are no gain over float32 either.
    """
    import onnx
    import onnxruntime

    channels = 64
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = onnx.numpy_helper.from_array(np.full((16, channels, 1), 255, np.uint8), "w")
    graph = helper.make_graph(
        [helper.make_node("ConvInteger", ["x", "w"], ["y"])],
        "probe",
        [helper.make_tensor_value_info("x", kinds.INT8, [1, channels, 32])],
        [helper.make_tensor_value_info("y", kinds.INT32, [1, 16, 32])],
        [weights],
    )
    probe = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"x": np.full((1, channels, 32), 127, np.int8)})
    return bool((sums == 255 * 127 * channels).all())
