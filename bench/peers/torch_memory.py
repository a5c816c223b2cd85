"""How fast memory is read here: what limits generation, where each token reads all weights once."""
import time

import torch

from protocol import serve

BYTES = 2**29  # far beyond any cache


class Reading:
    def __init__(self, config: dict):
        torch.set_num_threads(config["threads"])
        self.values = torch.ones(BYTES // 4).view(-1, 512)
        self.vector = torch.ones(512)
        self.seconds = self.run(1)["seconds"]

    def ready(self) -> dict:
        return {"version": f"PyTorch {torch.__version__}", "seconds": self.seconds}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        speeds = {
            "matrix times vector": max(self.speed(lambda: torch.mv(self.values, self.vector)) for _ in range(5)),
            "sum": max(self.speed(self.values.sum) for _ in range(5)),
        }
        return {"seconds": time.perf_counter() - begun, "tokens": 0, "giga_per_second": speeds}

    def speed(self, read) -> float:
        begun = time.perf_counter()
        read()
        return BYTES / (time.perf_counter() - begun) / 1e9


if __name__ == "__main__":
    serve(Reading)
