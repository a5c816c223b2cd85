"""An exported GGUF file in llama.cpp itself, by its server's own questions. One JSON object on stdin, one on the last line of stdout."""
import json
import os
import sys
import urllib.request

import xllamacpp


def main(asked: dict) -> dict:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = asked["file"]
    parameters.n_ctx = asked["longest"]
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = asked["threads"]
    # By default keys and values are float16, which is off by 1e-3 nats; the weights are compared here, not that choice.
    parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(parameters)

    def ask(question: str, content: dict) -> dict:
        request = urllib.request.Request(f"{server.listening_address}/{question}", json.dumps(content).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def next_logprob(tokens: list[int], token: int) -> float:
        answer = ask("completion", {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": asked["vocabulary"]})
        (place,) = answer["completion_probabilities"]
        return next(each["logprob"] for each in place["top_logprobs"] if each["id"] == token)

    row, first = asked["row"], asked["scored_from"]
    tokenized = ask("tokenize", {"content": asked["text"], "add_special": False, "parse_special": True})
    greedy = {"prompt": asked["prompt"], "n_predict": asked["new_tokens"], "temperature": 0, "return_tokens": True}
    return {
        "version": f"llama.cpp of xllamacpp {xllamacpp.__version__}",
        "text_tokens": tokenized["tokens"],
        "generated": ask("completion", greedy)["tokens"],
        "nats": [-next_logprob(row[:at], row[at]) for at in range(first, len(row))],
    }


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)  # what the library writes on stdout goes to stderr
    os.write(answers, (json.dumps(main(json.load(sys.stdin))) + "\n").encode())
