"""Integer ONNX weights back to float32, once, for machines on which float32 runs faster.

Dynamic quantisation (onnxruntime's `quantize_dynamic`) spells one `Conv` as

    DynamicQuantizeLinear(x) -> ConvInteger -> Add(floor(bias / scale)) -> Cast -> Mul(x_scale * w_scale)

and one `MatMul` likewise. On a CPU without fast 8-bit dot products for these shapes the detour costs more than it
saves, and rounding every activation adds noise. `dequantise` folds each chain back into the one float operator it
stands for; the weights keep the values the integers gave them.
"""

from typing import Any

import numpy as np


def dequantise(model: Any) -> int:
    """Turn the model's integer products into float32 ones, in place; returns how many there were."""
    return _Folding(model.graph).run()


class _Folding:
    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        self.made: dict[str, Any] = {}
        self.maker = {name: node for node in graph.node for name in node.output}
        self.users: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def run(self) -> int:
        folded = 0
        replaced: dict[str, Any] = {}
        for node in self.graph.node:
            if node.op_type in ("ConvInteger", "MatMulInteger"):
                last, new = self._fold_product(node)
            elif node.op_type == "DynamicQuantizeLSTM":
                last, new = node, self._fold_lstm(node)
            else:
                continue
            replaced[last.output[0]] = new
            folded += 1
        nodes = [replaced.get(node.output[0], node) for node in self.graph.node]
        self._keep(nodes)
        return folded

    def _fold_product(self, node: Any) -> tuple[Any, Any]:
        import onnx

        bias = ""
        after = self._only_user(node)
        if after.op_type == "Add":
            bias = self._float_bias(after.input[1])
            after = self._only_user(after)
        assert after.op_type == "Cast", after.op_type
        last = self._only_user(after)
        scale = self.maker[next(name for name in last.input if name not in after.output)]
        assert last.op_type == scale.op_type == "Mul", (last.op_type, scale.op_type)
        x = self.maker[node.input[0]].input[0]
        weight = self._float_weight(node.input[1], scale.input[1], node.input[3])
        operator = node.op_type.removesuffix("Integer")
        new = onnx.helper.make_node(operator, [x, weight] + [bias] * bool(bias), [last.output[0]], node.name)
        new.attribute.extend(node.attribute)
        return last, new

    def _fold_lstm(self, node: Any) -> Any:
        import onnx

        x, w, r, b, lengths, h, c, peephole, w_scale, w_zero, r_scale, r_zero = node.input
        # The quantised operator keeps [directions, input, 4 * hidden]; the float one wants the last two swapped.
        inputs = [
            x,
            self._float_weight(w, w_scale, w_zero, swap=True),
            self._float_weight(r, r_scale, r_zero, swap=True),
            *(b, lengths, h, c, peephole),
        ]
        new = onnx.helper.make_node("LSTM", inputs, list(node.output), node.name)
        new.attribute.extend(node.attribute)
        return new

    def _float_bias(self, name: str) -> str:
        for operator in ("Reshape", "Cast", "Floor", "Div"):
            node = self.maker[name]
            assert node.op_type == operator, (node.op_type, operator)
            name = node.input[0]
        return name

    def _float_weight(self, name: str, scale: str, zero: str, *, swap: bool = False) -> str:
        import onnx

        new = name + "_float"
        if new not in self.made:
            values, scales, zeros = (onnx.numpy_helper.to_array(self.weights[key]) for key in (name, scale, zero))
            if swap:  # one scale for each direction, or one for each direction and column
                scales, zeros = (part.reshape(values.shape[0], 1, -1) for part in (scales, zeros))
            values = (values.astype(np.float32) - zeros.astype(np.float32)) * scales
            values = values.swapaxes(1, 2) if swap else values
            self.made[new] = onnx.numpy_helper.from_array(np.ascontiguousarray(values, np.float32), new)
        return new

    def _only_user(self, node: Any) -> Any:
        (user,) = self.users[node.output[0]]
        return user

    def _keep(self, nodes: list[Any]) -> None:
        """Keep what the graph's outputs need, in order, and drop the integers."""
        needed = {output.name for output in self.graph.output}
        kept = []
        for node in reversed(nodes):
            if needed.intersection(node.output):
                kept.append(node)
                needed.update(node.input)
        del self.graph.node[:]
        self.graph.node.extend(reversed(kept))
        weights = [tensor for name, tensor in {**self.weights, **self.made}.items() if name in needed]
        kept_weights = [type(tensor).FromString(tensor.SerializeToString()) for tensor in weights]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept_weights)
        del self.graph.value_info[:]
