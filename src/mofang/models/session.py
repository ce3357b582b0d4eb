"""One way to open an ONNX graph."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from mofang.studio.errors import UserError


def load(graph: Path | bytes, threads: int, name: str = "") -> Any:
    """An onnxruntime session on the CPU with an explicit number of threads. Raises `UserError`, which calls it `name`, if it
    cannot be read."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # What goes wrong is raised too; we say it in our own words.
    # Decaying filters end in denormal numbers, on which a CPU is a hundred times slower.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    content = graph if isinstance(graph, bytes) else str(graph)
    try:
        # The first session changes how its thread computes, for good; let that be a thread that ends here.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(
                onnxruntime.InferenceSession, content, options, providers=["CPUExecutionProvider"]
            ).result()
    except Exception as error:  # onnxruntime raises a dozen types of its own that share no base but this
        raise UserError(f"{name or graph!s} cannot be opened; delete it and run it again ({str(error)[:80]})") from error


def answers(session: Any, graph: Path, **inputs: Any) -> list[Any]:
    """What the session of a file `graph` makes of its inputs, by name. Raises `UserError` if it does not run on them, as that of
    another model does not, or makes values that are no numbers."""
    try:
        made: list[Any] = session.run(None, inputs)
    except Exception as error:  # onnxruntime's errors share no base but this
        why = " ".join(str(error).split())[:80]
        raise UserError(f"{graph} does not run ({why}); train the model again, or take its folder whole") from error
    if not all(np.isfinite(each).all() for each in made if each.dtype.kind == "f"):
        raise UserError(f"{graph} gives values that are no numbers: its training went wrong; train the model again, with a lower --lr")
    return made
