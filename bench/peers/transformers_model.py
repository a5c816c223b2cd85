"""The model as transformers' own LlamaForCausalLM, with the hashed weights."""
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import hashed


def llama(config: dict) -> LlamaForCausalLM:
    torch.set_num_threads(config["threads"])
    model = config["model"]
    settings = LlamaConfig(
        vocab_size=model["vocab_size"],
        hidden_size=model["dim"],
        intermediate_size=model["hidden_dim"],
        num_hidden_layers=model["n_layers"],
        num_attention_heads=model["n_heads"],
        num_key_value_heads=model["n_kv_heads"],
        rms_norm_eps=model["norm_eps"],
        rope_parameters={"rope_type": "default", "rope_theta": model["rope_theta"]},
        max_position_embeddings=config["sequence"],
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    llama_model = LlamaForCausalLM(settings)
    found = llama_model.load_state_dict(dict(renamed(model)), strict=False)
    if found.unexpected_keys or set(found.missing_keys) - {"lm_head.weight"}:  # tied to the embedding
        raise ValueError(f"not the model's names: {found}")
    return llama_model.to(getattr(torch, config["precision"])).eval()


def renamed(model: dict):
    """Names and rotary order of transformers: there position i turns with i + half of the head, not with its neighbour."""
    parts = {
        "attention_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
        **{f"attention.w{kind}": f"self_attn.{kind}_proj" for kind in "qkvo"},
        "feed_forward.w1": "mlp.gate_proj",
        "feed_forward.w2": "mlp.down_proj",
        "feed_forward.w3": "mlp.up_proj",
    }
    heads = {"attention.wq": model["n_heads"], "attention.wk": model["n_kv_heads"]}
    for name, values in hashed.weights(model).items():
        tensor = torch.from_numpy(values)
        if name in ("tok_embeddings.weight", "norm.weight"):
            yield name.replace("tok_embeddings", "model.embed_tokens").replace("norm", "model.norm"), tensor
            continue
        _, layer, part = name.removesuffix(".weight").split(".", 2)
        if part in heads:
            tensor = halves(tensor, heads[part])
        yield f"model.layers.{layer}.{parts[part]}.weight", tensor


def halves(matrix: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows 0 1 2 3 of each head become 0 2 1 3."""
    outer, inner = matrix.shape
    return matrix.view(heads, outer // heads // 2, 2, inner).transpose(1, 2).reshape(outer, inner)
