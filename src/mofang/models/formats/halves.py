"""An ONNX graph with its weights as float16: half the file, unfolded again as it is loaded."""

from pathlib import Path

from mofang.models import own
from mofang.studio.atomic import write_atomic

SMALL = 1024
"""Numbers under which a tensor is left as it is."""


def halved(path: Path) -> None:
    """Rewrite the graph at `path`: float32 initialisers become float16 ones, each followed by a Cast to float32.

    The runtime folds such Casts away before the first run, so that the arithmetic stays float32.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALL or (half := own.halved(values)).dtype != np.float16:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    write_atomic(path, model.SerializeToString())
