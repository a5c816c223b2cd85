"""Greedy generation by transformers' generate(), with the dynamic key-value cache it has by default, or compiled with the static one."""
import time

import torch
import transformers

import hashed
from protocol import serve
from transformers_model import llama


class Generation:
    def __init__(self, config: dict):
        self.config, self.model = config, llama(config)
        self.cache = static_and_compiled() if config["variant"] == "static" else {}
        self.model.generation_config.eos_token_id = None  # nothing but the number of tokens ends a text
        tokens = hashed.tokens(0, config["prompt_length"], config["model"]["vocab_size"])
        self.prompt = torch.from_numpy(tokens)[None]
        self.first = self.generated()
        for _ in range(config["warm_up"] - 1):
            begun = time.perf_counter()
            self.generated()
            self.seconds = time.perf_counter() - begun

    def ready(self) -> dict:
        version = f"transformers {transformers.__version__}, PyTorch {torch.__version__}"
        return {"version": version, "seconds": self.seconds, "generated": self.first}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        tokens = sum(len(self.generated()) for _ in range(count))
        return {"seconds": time.perf_counter() - begun, "tokens": tokens}

    @torch.inference_mode()
    def generated(self) -> list[int]:
        new = self.config["new_tokens"]
        options = {"do_sample": False, "max_new_tokens": new, **self.cache}
        whole = self.model.generate(self.prompt, attention_mask=torch.ones_like(self.prompt), **options)
        return whole[0, self.prompt.shape[1] :].tolist()


def static_and_compiled() -> dict:
    compilation = transformers.CompileConfig(fullgraph=False, mode="default")
    compilation._compile_all_devices = True  # else generate() compiles for GPUs only
    return {"cache_implementation": "static", "compile_config": compilation}


if __name__ == "__main__":
    serve(Generation)
