"""Weights and tokens that every contender computes for itself from one 32-bit hash: the rule of testdata/golden-model/full_size.json."""
import math

import numpy as np

MASK = np.uint64(0xFFFFFFFF)
TOKEN_STREAM = 999
FIRST_TOKEN = 3  # 0, 1 and 2 are padding, bos and eos


def hashed(first: int, count: int, stream: int) -> np.ndarray:
    """Elements `first` to `first + count` of a stream, as uint64 below 2^32; all arithmetic is modulo 2^32."""
    start = np.uint64((stream + 1) * 40503 * 65537 % 2**32)
    x = (np.arange(first, first + count, dtype=np.uint64) * np.uint64(2654435761) + start) & MASK
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x85EBCA6B) & MASK
    x ^= x >> np.uint64(13)
    x = x * np.uint64(0xC2B2AE35) & MASK
    return x ^ (x >> np.uint64(16))


def parameter_shapes(model: dict) -> dict[str, tuple[int, ...]]:
    """Every parameter in the order that numbers the streams. A matrix is [out, in]."""
    dim, hidden = model["dim"], model["hidden_dim"]
    key_value_dim = dim // model["n_heads"] * model["n_kv_heads"]
    shapes: dict[str, tuple[int, ...]] = {"tok_embeddings.weight": (model["vocab_size"], dim)}
    for layer in range(model["n_layers"]):
        shapes |= {
            f"layers.{layer}.attention_norm.weight": (dim,),
            f"layers.{layer}.attention.wq.weight": (dim, dim),
            f"layers.{layer}.attention.wk.weight": (key_value_dim, dim),
            f"layers.{layer}.attention.wv.weight": (key_value_dim, dim),
            f"layers.{layer}.attention.wo.weight": (dim, dim),
            f"layers.{layer}.ffn_norm.weight": (dim,),
            f"layers.{layer}.feed_forward.w1.weight": (hidden, dim),
            f"layers.{layer}.feed_forward.w2.weight": (dim, hidden),
            f"layers.{layer}.feed_forward.w3.weight": (hidden, dim),
        }
    return shapes | {"norm.weight": (dim,)}


def weights(model: dict) -> dict[str, np.ndarray]:
    """Matrices uniform in +-1/sqrt(in), norms in 1 +- 0.1."""
    return {name: tensor(shape, stream) for stream, (name, shape) in enumerate(parameter_shapes(model).items())}


def tensor(shape: tuple[int, ...], stream: int) -> np.ndarray:
    unit = 2 * (hashed(0, math.prod(shape), stream).astype(np.float64) / 2.0**32) - 1
    values = unit / math.sqrt(shape[1]) if len(shape) == 2 else 1 + 0.1 * unit
    return values.astype(np.float32).reshape(shape)


def tokens(first: int, count: int, vocabulary: int) -> np.ndarray:
    """Tokens `first` to `first + count` of one endless text: batch k of size n begins at k * n."""
    return (FIRST_TOKEN + hashed(first, count, TOKEN_STREAM) % np.uint64(vocabulary - FIRST_TOKEN)).astype(np.int64)


def batch(number: int, rows: int, sequence: int, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [rows, sequence] and labels: the token after each position, -100 after the last one of a row."""
    inputs = tokens(number * rows * sequence, rows * sequence, vocabulary).reshape(rows, sequence)
    labels = np.full_like(inputs, -100)
    labels[:, :-1] = inputs[:, 1:]
    return inputs, labels
