"""PyTorch's training step: forward, backward, clipping by the global norm, fused AdamW. Variants: eager, compiled."""
import math
import time

import torch

import hashed
from protocol import serve
from torch_model import hashed_model


class Step:
    def __init__(self, config: dict):
        torch.set_num_threads(config["threads"])
        self.config, self.training = config, config["training"]
        self.module = hashed_model(config["model"], config["sequence"])
        self.loss_of = torch.compile(self.module) if config["variant"] == "compiled" else self.module
        self.optimizer = adamw(self.module, self.training)
        self.taken = 0
        self.first = self.step(exact_norm=True)
        for _ in range(config["warm_up"] - 1):
            begun = time.perf_counter()
            self.step()
            self.warm_seconds = time.perf_counter() - begun

    def ready(self) -> dict:
        return {**self.first, "version": f"PyTorch {torch.__version__}", "seconds": self.warm_seconds}

    def run(self, count: int) -> dict:
        rows, sequence = self.config["rows"], self.config["sequence"]
        begun = time.perf_counter()
        for _ in range(count):
            last = self.step()
        return {**last, "seconds": time.perf_counter() - begun, "tokens": count * rows * sequence}

    def step(self, exact_norm=False) -> dict:
        config = self.config
        inputs, labels = map(torch.from_numpy, hashed.batch(self.taken, config["rows"], config["sequence"], config["model"]["vocab_size"]))
        with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bfloat16"):
            loss = self.loss_of(inputs, labels)
        loss.backward()
        exact = exact_global_norm(self.module) if exact_norm else None
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.training["max_gradient_norm"], foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.taken += 1
        return {"loss": loss.item(), "gradient_norm": exact or norm.item()}


def adamw(module: torch.nn.Module, training: dict) -> torch.optim.AdamW:
    parameters = list(module.parameters())
    groups = [
        {"params": [each for each in parameters if each.dim() == 2], "weight_decay": training["weight_decay"]},
        {"params": [each for each in parameters if each.dim() != 2], "weight_decay": 0.0},
    ]
    betas = (training["beta1"], training["beta2"])
    return torch.optim.AdamW(groups, lr=training["learning_rate"], betas=betas, eps=training["epsilon"], fused=True)


def exact_global_norm(module: torch.nn.Module) -> float:
    """In float64: PyTorch's float32 norm of a large matrix is 6e-5 too small."""
    return math.sqrt(sum(each.grad.double().square().sum().item() for each in module.parameters()))


if __name__ == "__main__":
    serve(Step)
