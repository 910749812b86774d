"""A BERT sentence encoder as an ONNX graph, written straight from its weights: no torch, and 8-bit products.

The graph holds what sentence-transformers would compute and nothing besides: the three projections of attention are one
product, and where a processor has instructions for 8-bit integers, as every one of the last years, all products are of
such. Weights are rounded per column, activations as they come, per text (dynamic quantization; Zafrir and others,
Q8BERT, 2019), once the few dimensions in which activations are large have been made smaller there and larger in the
weights (Xiao and others, SmoothQuant, 2023). Left out: other architectures, which are exported by way of torch (onnx),
and what a graph is run by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from eunato_rag.errors import EmbeddingError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

Precision = Literal["int8", "float32"]
INT8 = "int8-smoothed/2"
"""Name and version of how numbers are rounded; a change of the vectors that come of it changes the version."""
_OWN = "com.microsoft"
"""The domain of onnxruntime's own operators."""
_MIGRATION = 0.7
"""How much of the difference between dimensions goes over into the weights; of 0.5 to 1 the nearest to 32 bits."""
_SAID = (
    "Who signed the agreement, and when?",
    "NATO",
    "The European Union adopted its first strategy in 2003; a second one followed, and 27 states now take part in it.",
    "Spending rose from 1.4 to 2.1 % of gross domestic product (about €326 billion), says the report on page 17.",
    "What do the authors recommend? They ask for joint exercises, shared intelligence, faster decisions and less paperwork.",
    "He did not say that it would work. He said that it might, if others paid for it, and that nobody should count on that.",
    "Proteins fold within milliseconds; in mice without the gene, cells of the liver grew twice as fast (p < 0.01, n = 24).",
    "Revenue for the quarter was $4.2 million, down 12 % from the year before, because fewer licences were sold abroad.",
    "def read(path): return open(path).read()  # see https://example.org/docs?id=42",
    "Article 42(7): where a State is the victim of armed aggression on its territory, the others shall aid and assist it.",
    "The boundary layer separates from a cone at high speed, and heat passes to its surface by convection alone.",
    "Queen Anne's house stood on a hill above the river, between two old oaks that a storm of 1987 took down.",
)
"""Sentences of several kinds, by which it is seen in which dimensions activations are large."""
_MODULES = ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be known of a BERT sentence encoder besides its weights. `pooling` is how one vector is made of the tokens'."""

    heads: int
    layers: int
    epsilon: float
    pooling: Literal["mean", "cls"]
    dimension: int
    max_tokens: int
    query_prompt: str
    document_prompt: str


def read_plan(folder: Path) -> Plan | None:
    """The plan of the model in a folder of sentence-transformers; None where it is no BERT that this module can write."""
    try:
        modules = [entry["type"].rsplit(".", 1)[-1] for entry in _json(folder / "modules.json")]
        config, pooling = _json(folder / "config.json"), _json(folder / "1_Pooling" / "config.json")
        wrapper, tokenizer = _json(folder / "sentence_bert_config.json"), _json(folder / "tokenizer_config.json")
        said = _json(folder / "config_sentence_transformers.json") if (folder / "config_sentence_transformers.json").exists() else {}
        prompts = {name: text or "" for name, text in (said.get("prompts") or {}).items()}
        kinds = {name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True}
        kind = pooling.get("pooling_mode") or {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}.get("".join(kinds))
        fits = (
            modules in _MODULES
            and config["model_type"] == "bert"
            and config["hidden_act"] == "gelu"
            and config.get("position_embedding_type", "absolute") == "absolute"
            and not (config.get("is_decoder") or wrapper.get("do_lower_case"))
            and kind in ("mean", "cls")
            and pooling.get("include_prompt", True)
            and not (said.get("default_prompt_name") or said.get("truncate_dim"))
            and (folder / "model.safetensors").is_file()
            and (folder / "tokenizer.json").is_file()
        )
        if not fits:
            return None
        return Plan(
            heads=int(config["num_attention_heads"]),
            layers=int(config["num_hidden_layers"]),
            epsilon=float(config["layer_norm_eps"]),
            pooling=cast("Literal['mean', 'cls']", kind),
            dimension=int(config["hidden_size"]),
            max_tokens=min(int(wrapper.get("max_seq_length") or tokenizer["model_max_length"]), int(config["max_position_embeddings"])),
            query_prompt=prompts.get("query", ""),
            document_prompt=prompts.get("document", ""),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_graph(folder: Path, plan: Plan, path: Path, precision: Precision) -> None:
    """Write the graph: `input_ids` and `attention_mask`, int64 of shape (texts, tokens), give `sentence_embedding` of shape
    (texts, dimension), not normalized, and `token_embeddings` of shape (texts, tokens, dimension).

    Raises:
        EmbeddingError: the weights are not those of the plan.
    """
    import onnx

    try:
        weights = _weights(folder)
        graph = _Graph(weights, plan, _peaks(weights, plan, folder) if precision == "int8" else None)
    except (KeyError, ValueError, OSError) as error:
        raise EmbeddingError(f"The weights in {folder} are not those of the BERT that its configuration tells of: {error}") from error
    onnx.save(
        _model(graph, {"sentence_embedding": ["texts", plan.dimension], "token_embeddings": ["texts", "tokens", plan.dimension]}), path
    )


def _model(graph: _Graph, outputs: Mapping[str, list[str | int] | None]) -> ModelProto:
    from onnx import TensorProto, helper

    made = helper.make_graph(
        graph.nodes,
        "sentence_encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        graph.constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_OWN, 1)], ir_version=9)


def _peaks(weights: dict[str, NDArray[np.float32]], plan: Plan, folder: Path) -> list[NDArray[np.float32]]:
    """The largest amount of each dimension of what each product is given, over some sentences."""
    import onnxruntime
    from tokenizers import Tokenizer

    graph = _Graph(weights, plan, None)
    model = _model(graph, dict.fromkeys(graph.factors))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    peaks = [np.zeros(1, dtype=np.float32)] * len(graph.factors)
    for text in (*_SAID, " ".join(_SAID)):
        row = np.asarray([tokenizer.encode(text).ids[: plan.max_tokens]], dtype=np.int64)
        found = session.run(graph.factors, {"input_ids": row, "attention_mask": np.ones_like(row)})
        peaks = [np.maximum(peak, np.abs(values).max(axis=(0, 1))) for peak, values in zip(peaks, found, strict=True)]
    return peaks


class _Graph:
    """The nodes and constants of a graph, layer by layer; a value is known by its name. With `peaks`, products are in 8 bits.

    `factors` are what the products are given, in order.
    """

    def __init__(self, weights: dict[str, NDArray[np.float32]], plan: Plan, peaks: Sequence[NDArray[np.float32]] | None) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.factors: list[str] = []
        self._weights, self._plan, self._peaks, self._int8 = weights, plan, peaks, peaks is not None
        self._values = 0
        lengths = self._node("ReduceSum", "attention_mask", self._constant(np.array([1])), keepdims=0)
        self._lengths = self._node("Cast", lengths, to=6)
        tokens = self._embedded()
        for layer in range(plan.layers):
            tokens = self._layer(tokens, f"encoder.layer.{layer}.")
        self._node("Identity", tokens, into=["token_embeddings"])
        self._pooled(tokens)

    def _embedded(self) -> str:
        words = self._weights["embeddings.word_embeddings.weight"]
        # of tens of thousands of rows a text takes a few hundred, so these are kept in half the size
        rows = self._node("Gather", self._constant(words.astype(np.float16) if self._int8 else words), "input_ids")
        found = self._node("Cast", rows, to=1) if self._int8 else rows
        places = self._weights["embeddings.position_embeddings.weight"] + self._weights["embeddings.token_type_embeddings.weight"][0]
        size = self._node("Shape", "input_ids", start=1, end=2)
        place = self._node("Slice", self._constant(places), self._constant(np.array([0])), size)
        both = self._node("Add", found, place)
        scale, shift = self._norm("embeddings.LayerNorm.")
        return self._node("LayerNormalization", both, scale, shift, axis=-1, epsilon=self._plan.epsilon)

    def _layer(self, tokens: str, name: str) -> str:
        parts = [f"{name}attention.self.{part}." for part in ("query", "key", "value")]
        weight = np.concatenate([self._weights[f"{part}weight"].T for part in parts], axis=1)
        bias = self._constant(np.concatenate([self._weights[f"{part}bias"] for part in parts]))
        attended = self._attention(tokens, weight, bias)
        tokens = self._added(self._product(attended, f"{name}attention.output.dense."), tokens, f"{name}attention.output.LayerNorm.")
        inner = self._node("Gelu", self._product(tokens, f"{name}intermediate.dense."), domain=_OWN)
        return self._added(self._product(inner, f"{name}output.dense."), tokens, f"{name}output.LayerNorm.")

    def _attention(self, tokens: str, weight: NDArray[np.float32], bias: str) -> str:
        heads = self._plan.heads
        tokens, weight = self._smoothed(tokens, weight)
        if not self._int8:
            return self._node("Attention", tokens, self._constant(weight), bias, self._lengths, domain=_OWN, num_heads=heads)
        rounded, steps = _rounded(weight)
        values, step, zero = self._quantized(tokens)
        zeros = self._constant(np.zeros(weight.shape[1], dtype=np.int8))
        given = (values, self._constant(rounded), bias, step, self._constant(steps), self._lengths, zero, zeros)
        return self._node("QAttention", *given, domain=_OWN, num_heads=heads)

    def _product(self, tokens: str, name: str) -> str:
        bias = self._constant(self._weights[f"{name}bias"])
        tokens, weight = self._smoothed(tokens, self._weights[f"{name}weight"].T)
        if not self._int8:
            return self._node("Add", self._node("MatMul", tokens, self._constant(weight)), bias)
        rounded, steps = _rounded(weight)
        values, step, zero = self._quantized(tokens)
        given = (values, self._constant(rounded), step, self._constant(steps), zero, "", bias)
        return self._node("MatMulIntegerToFloat", *given, domain=_OWN)

    def _smoothed(self, tokens: str, weight: NDArray[np.float32]) -> tuple[str, NDArray[np.float32]]:
        """The same product, of factors that lose less when they are rounded."""
        self.factors.append(tokens)
        if self._peaks is None:
            return tokens, weight
        peaks = np.maximum(self._peaks[len(self.factors) - 1], 1e-5)
        scale = peaks**_MIGRATION / np.maximum(np.abs(weight).max(axis=1), 1e-5) ** (1 - _MIGRATION)
        return self._node("Mul", tokens, self._constant((1 / scale).astype(np.float32))), weight * scale[:, None]

    def _quantized(self, tokens: str) -> list[str]:
        names = [self._name() for _ in range(3)]
        self._node("DynamicQuantizeLinear", tokens, into=names)
        return names

    def _added(self, tokens: str, before: str, name: str) -> str:
        scale, shift = self._norm(name)
        # onnxruntime's fused SkipLayerNormalization goes number by number, and took a fifth of a text's time
        both = self._node("Add", tokens, before)
        return self._node("LayerNormalization", both, scale, shift, axis=-1, epsilon=self._plan.epsilon)

    def _pooled(self, tokens: str) -> None:
        if self._plan.pooling == "cls":
            self._node("Gather", tokens, self._constant(np.array(0)), into=["sentence_embedding"], axis=1)
            return
        mask = self._node("Unsqueeze", self._node("Cast", "attention_mask", to=1), self._constant(np.array([2])))
        total = self._node("ReduceSum", self._node("Mul", tokens, mask), self._constant(np.array([1])), keepdims=0)
        self._node("Div", total, self._node("ReduceSum", mask, self._constant(np.array([1])), keepdims=0), into=["sentence_embedding"])

    def _norm(self, name: str) -> tuple[str, str]:
        return self._constant(self._weights[f"{name}weight"]), self._constant(self._weights[f"{name}bias"])

    def _node(self, kind: str, *given: str, into: list[str] | None = None, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        outputs = into or [self._name()]
        self.nodes.append(helper.make_node(kind, list(given), outputs, domain=domain, **attributes))
        return outputs[0]

    def _constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = self._name()
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def _name(self) -> str:
        self._values += 1
        return f"v{self._values}"


def _rounded(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix in 8 bits, and the step of each of its columns."""
    steps = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
    return np.round(weight / steps).astype(np.int8), steps.astype(np.float32)


def _weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The weights by name, as 32-bit floats, whatever prefix they are kept under."""
    from safetensors.numpy import load_file

    found = load_file(folder / "model.safetensors")
    return {name.removeprefix("bert."): values.astype(np.float32) for name, values in found.items() if values.dtype.kind == "f"}


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
