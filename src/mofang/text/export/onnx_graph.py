"""A graph of ONNX operators, built line by line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sides = Sequence[int | str]
"""A shape; a name stands for a side that is known when the graph runs."""


class Graph:
    """Nodes in the order they are called. A value is the name of what a node gives.

    >>> graph = Graph(tensors)
    >>> y = graph.op("MatMul", graph.input("x", np.float32, ["batch", 4]), graph.weight("head.weight", transposed=True))
    """

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]]) -> None:
        self._tensors = tensors
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[str, NDArray[Any]] = {}

    def input(self, name: str, dtype: Any, shape: Sides) -> str:
        """A value that the caller gives."""
        self._inputs.append(_info(name, dtype, shape))
        return name

    def output(self, name: str, value: str, shape: Sides, dtype: Any = np.float32) -> None:
        """A value that the caller gets."""
        self.op("Identity", value, outputs=[name])
        self._outputs.append(_info(name, dtype, shape))

    def op(self, kind: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        """An operator; returns the first of its `outputs`, which get a name if they have none."""
        from onnx import helper

        names = list(outputs) or [f"{kind.lower()}_{len(self._nodes)}"]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{len(self._nodes)}", **attributes))
        return names[0]

    def weight(self, name: str, *, transposed: bool = False) -> str:
        """One of the model's tensors."""
        tensor = self._tensors[name]
        if not transposed:
            return self.constant(tensor, name)
        return self.constant(np.ascontiguousarray(tensor.T), name + ".T")

    def head(self, name: str, embedding: str, tied: bool) -> str:
        """The matrix (H, V) that makes logits; tied, the embedding turned when the graph is loaded, so that it lies in the
        file once."""
        return self.op("Transpose", self.weight(embedding), perm=[1, 0]) if tied else self.weight(name, transposed=True)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """One of the model's tensors, to be rearranged first."""
        return self._tensors[name]

    def constant(self, value: NDArray[Any] | np.generic | float | Sequence[int], name: str = "") -> str:
        """A fixed array: floats are float32, whole numbers int64."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = name or f"constant_{len(self._constants)}"
        self._constants[name] = array
        return name

    def proto(self, name: str) -> Any:
        """The `GraphProto`."""
        from onnx import helper, numpy_helper

        weights = [numpy_helper.from_array(value, key) for key, value in self._constants.items()]
        return helper.make_graph(self._nodes, name, self._inputs, self._outputs, weights)


def _info(name: str, dtype: Any, shape: Sides) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
