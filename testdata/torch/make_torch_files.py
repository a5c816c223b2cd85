"""Small files of torch.save, as MiniMind writes its weights, and the numbers in them.

    python make_torch_files.py     PyTorch 2.15.0; writes the files beside this one

interleaved.pth   the state dictionary of a module with MiniMind's first names: float32, the output matrix is the embedding
half_split.pth    a plain dictionary with its later names, saved in half precision, as MiniMind does from 2026 on
bfloat16.pth      the first in bfloat16, as parameters, by the newest pickle protocol that torch.save takes
"""
import json
import pathlib
from collections import OrderedDict

import torch
from torch import nn

here = pathlib.Path(__file__).parent
vocabulary, dim, heads, key_value_heads, hidden = 10, 8, 2, 1, 12
head = dim // heads


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.wq, self.wk = linear(dim, heads * head), linear(dim, key_value_heads * head)
        self.wv, self.wo = linear(dim, key_value_heads * head), linear(heads * head, dim)


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.w2, self.w3 = linear(dim, hidden), linear(hidden, dim), linear(dim, hidden)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.feed_forward = Attention(), FeedForward()
        self.attention_norm, self.ffn_norm = Norm(), Norm()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok_embeddings = nn.Embedding(vocabulary, dim)
        self.layers = nn.ModuleList([Block()])
        self.norm = Norm()
        self.output = linear(dim, vocabulary)
        self.output.weight = self.tok_embeddings.weight


later_names = {
    "tok_embeddings": "model.embed_tokens",
    "layers.0.attention.wq": "model.layers.0.self_attn.q_proj",
    "layers.0.attention.wk": "model.layers.0.self_attn.k_proj",
    "layers.0.attention.wv": "model.layers.0.self_attn.v_proj",
    "layers.0.attention.wo": "model.layers.0.self_attn.o_proj",
    "layers.0.feed_forward.w1": "model.layers.0.mlp.gate_proj",
    "layers.0.feed_forward.w2": "model.layers.0.mlp.down_proj",
    "layers.0.feed_forward.w3": "model.layers.0.mlp.up_proj",
    "layers.0.attention_norm": "model.layers.0.input_layernorm",
    "layers.0.ffn_norm": "model.layers.0.post_attention_layernorm",
    "norm": "model.norm",
    "output": "lm_head",
}

model = Model()
with torch.no_grad():  # eighths below 16: exact in every precision, and each number its own within a tensor of up to 256
    for place, parameter in enumerate(model.parameters()):
        count = parameter.numel()
        parameter.copy_(((torch.arange(count) * 7 + place) % 256 / 8 - 16).reshape(parameter.shape))

state = model.state_dict()
torch.save(state, here / "interleaved.pth")


def half_split(name, value):
    """Rows of queries and keys in two halves, as later MiniMind and Hugging Face turn them."""
    if not name.endswith(("wq.weight", "wk.weight")):
        return value
    count = value.shape[0] // head
    return value.view(count, head // 2, 2, dim).transpose(1, 2).reshape(value.shape)


later = {later_names[name[: -len(".weight")]] + ".weight": half_split(name, value).half() for name, value in state.items()}
torch.save(later, here / "half_split.pth")
parameters = OrderedDict((name, nn.Parameter(value.bfloat16())) for name, value in state.items())
torch.save(parameters, here / "bfloat16.pth", pickle_protocol=4)
numbers = {name: value.flatten().tolist() for name, value in state.items() if name != "output.weight"}
(here / "expected.json").write_text(json.dumps({"torch": torch.__version__, "weights": numbers}) + "\n")
