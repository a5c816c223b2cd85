"""
An exported checkpoint as its users load it: by transformers' Auto classes, and by lm-evaluation-harness. One JSON object on stdin, one on
the last line of stdout.
"""
import json
import sys

import torch
import torch.nn.functional as F
import transformers
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(asked: dict) -> dict:
    torch.set_num_threads(asked["threads"])
    model, loading = loaded(asked["folder"], asked["gguf_file"])
    found = {
        "version": f"transformers {transformers.__version__}, PyTorch {torch.__version__}",
        "loading": {kind: sorted(map(str, loading[kind])) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")},
        "nats": validation_nats(model, asked["rows"]),
        "generated": generated(model, asked["prompt"], asked["new_tokens"]),
    }
    return found | ({} if asked["gguf_file"] else read_by_name(asked["folder"], asked["text"]))


def loaded(folder: str, gguf_file: str | None):
    kind = {"gguf_file": gguf_file} if gguf_file else {}
    model, loading = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, **kind
    )
    return model.eval(), loading


@torch.inference_mode()
def validation_nats(model, rows: list[list[int]]) -> float:
    """Of every token of a row but the first, one row at a time."""
    return sum(row_nats(model, torch.tensor([row])) for row in rows if len(row) > 1)


def row_nats(model, row: torch.Tensor) -> float:
    logits = model(input_ids=row, use_cache=False).logits[0, :-1].double()
    return F.cross_entropy(logits, row[0, 1:], reduction="sum").item()


@torch.inference_mode()
def generated(model, prompt: list[int], new_tokens: int) -> list[int]:
    ids = torch.tensor([prompt])
    answer = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=new_tokens)
    return answer[0, len(prompt) :].tolist()


def read_by_name(folder: str, text: str) -> dict:
    """What comes from the folder alone: tokenizer, markers, and the harness's own windows over a text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    harness = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=1)
    request = Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=0)
    return {
        "markers": [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id],
        "text_tokens": tokenizer(text, add_special_tokens=False)["input_ids"],
        "rolling_nats": -harness.loglikelihood_rolling([request], disable_tqdm=True)[0],
        "longest": harness.max_length,
    }


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
