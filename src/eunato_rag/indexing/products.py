"""Products of matrices by onnxruntime, each on the thread that asks for it.

For whole numbers NumPy has nothing that uses the processor's instructions: comparing bits with 8-bit numbers takes a tenth of
the time of the same product in floats, and is exact. For floats NumPy's library starts threads of its own, which wait for each
other where others compute: in company a query's product of 50 µs took ten milliseconds.
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
    (product,) = _of_bits().run(None, {"bits": bits, "weights": weights})
    return np.asarray(product, dtype=np.int32)


class TimesMatrix:
    """The product of any rows, shape (n, k), with one matrix, shape (k, m). Safe to share between threads."""

    def __init__(self, matrix: NDArray[np.float32]) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self._session = _session(
            helper.make_graph(
                [helper.make_node("MatMul", ["rows", "matrix"], ["product"])],
                "times_matrix",
                [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", "k"])],
                [helper.make_tensor_value_info("product", TensorProto.FLOAT, ["n", "m"])],
                [numpy_helper.from_array(np.ascontiguousarray(matrix), "matrix")],
            )
        )

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        (product,) = self._session.run(None, {"rows": np.ascontiguousarray(rows, dtype=np.float32)})
        return np.asarray(product, dtype=np.float32)


@lru_cache(maxsize=1)
def _of_bits() -> Any:
    from onnx import TensorProto, helper

    return _session(
        helper.make_graph(
            [helper.make_node("MatMulInteger", ["bits", "weights"], ["product"])],
            "bits_times",
            [
                helper.make_tensor_value_info("bits", TensorProto.UINT8, ["n", "k"]),
                helper.make_tensor_value_info("weights", TensorProto.INT8, ["k", "m"]),
            ],
            [helper.make_tensor_value_info("product", TensorProto.INT32, ["n", "m"])],
        )
    )


def _session(graph: Any) -> Any:
    import onnxruntime
    from onnx import helper

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
