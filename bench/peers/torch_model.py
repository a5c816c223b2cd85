"""The model in PyTorch, as a good engineer writes it: SDPA, fused projections where they pay, nothing kept that is not needed."""
import torch
import torch.nn.functional as F

import hashed


class Attention(torch.nn.Module):
    def __init__(self, model: dict):
        super().__init__()
        dim, self.heads, self.kv_heads = model["dim"], model["n_heads"], model["n_kv_heads"]
        self.head_dim = dim // self.heads
        self.wq = torch.nn.Linear(dim, dim, bias=False)
        self.wk = torch.nn.Linear(dim, self.kv_heads * self.head_dim, bias=False)
        self.wv = torch.nn.Linear(dim, self.kv_heads * self.head_dim, bias=False)
        self.wo = torch.nn.Linear(dim, dim, bias=False)

    def forward(self, x, cos, sin):
        batch, sequence, dim = x.shape
        q = rotated(self.wq(x).view(batch, sequence, self.heads, self.head_dim), cos, sin)
        k = rotated(self.wk(x).view(batch, sequence, self.kv_heads, self.head_dim), cos, sin)
        v = self.wv(x).view(batch, sequence, self.kv_heads, self.head_dim)
        q, k, v = (each.transpose(1, 2) for each in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.wo(y.transpose(1, 2).reshape(batch, sequence, dim))


class FeedForward(torch.nn.Module):
    def __init__(self, model: dict):
        super().__init__()
        dim, hidden = model["dim"], model["hidden_dim"]
        self.w1 = torch.nn.Linear(dim, hidden, bias=False)
        self.w2 = torch.nn.Linear(hidden, dim, bias=False)
        self.w3 = torch.nn.Linear(dim, hidden, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class Block(torch.nn.Module):
    def __init__(self, model: dict):
        super().__init__()
        self.attention_norm = torch.nn.RMSNorm(model["dim"], eps=model["norm_eps"])
        self.attention = Attention(model)
        self.ffn_norm = torch.nn.RMSNorm(model["dim"], eps=model["norm_eps"])
        self.feed_forward = FeedForward(model)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        return x + self.feed_forward(self.ffn_norm(x))


class Model(torch.nn.Module):
    """`forward` is the whole loss, so that a compiler sees the logits and the cross-entropy together."""

    def __init__(self, model: dict, sequence: int):
        super().__init__()
        self.tok_embeddings = torch.nn.Embedding(model["vocab_size"], model["dim"])
        self.layers = torch.nn.ModuleList(Block(model) for _ in range(model["n_layers"]))
        self.norm = torch.nn.RMSNorm(model["dim"], eps=model["norm_eps"])
        head_dim = model["dim"] // model["n_heads"]
        rates = model["rope_theta"] ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
        angles = torch.outer(torch.arange(sequence, dtype=torch.float64), rates)
        self.register_buffer("cos", angles.cos().float()[:, None, :], persistent=False)  # [S, 1, head_dim / 2]
        self.register_buffer("sin", angles.sin().float()[:, None, :], persistent=False)

    def forward(self, inputs, labels):
        x = self.tok_embeddings(inputs)
        for block in self.layers:
            x = block(x, self.cos, self.sin)
        logits = F.linear(self.norm(x), self.tok_embeddings.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100)


def rotated(x, cos, sin):
    """RoPE on neighbouring pairs: (a, b) becomes (a cos - b sin, a sin + b cos)."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).type_as(x)


def hashed_model(model: dict, sequence: int) -> Model:
    module = Model(model, sequence)
    module.load_state_dict({name: torch.from_numpy(values) for name, values in hashed.weights(model).items()})
    return module
