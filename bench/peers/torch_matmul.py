"""How fast PyTorch multiplies matrices here."""
import time

import torch

from products import giga_per_second, products
from protocol import serve


class Products:
    def __init__(self, config: dict):
        torch.set_num_threads(config["threads"])
        kind = getattr(torch, config["precision"])
        self.operands = {
            name: (torch.randn(m, k).to(kind), torch.randn(n, k).to(kind).T, (m, k, n)) for name, m, k, n in products(config)
        }
        self.seconds = self.run(1)["seconds"]

    def ready(self) -> dict:
        return {"version": f"PyTorch {torch.__version__}", "seconds": self.seconds}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        with torch.inference_mode():
            speeds = {
                name: giga_per_second(lambda: torch.matmul(a, b), *sizes, time.perf_counter)
                for name, (a, b, sizes) in self.operands.items()
            }
        return {"seconds": time.perf_counter() - begun, "tokens": 0, "giga_per_second": speeds}


if __name__ == "__main__":
    serve(Products)
