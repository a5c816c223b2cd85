"""The loss of a validation file by transformers: its own length-grouping sampler, padded batches of the size that is fastest here."""
import time

import torch
import torch.nn.functional as F
import transformers
from transformers.trainer_pt_utils import LengthGroupedSampler

import hashed
from protocol import serve
from transformers_model import llama

BATCH_SIZES = (1, 8, 32)


class Scoring:
    def __init__(self, config: dict):
        self.model = llama(config)
        if config["variant"] == "compiled":
            self.model.forward = torch.compile(self.model.forward, dynamic=True)
        self.rows = rows_of(config)
        self.loss = self.scored(BATCH_SIZES[0])[0]
        durations = {size: self.duration(size) for size in BATCH_SIZES}
        self.batch_size = min(durations, key=durations.get)
        self.seconds = durations[self.batch_size]

    def ready(self) -> dict:
        version = f"transformers {transformers.__version__}, PyTorch {torch.__version__}, batches of {self.batch_size}"
        return {"version": version, "seconds": self.seconds, "loss": self.loss}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        for _ in range(count):
            loss, _ = self.scored(self.batch_size)
        tokens = count * sum(map(len, self.rows))
        return {"seconds": time.perf_counter() - begun, "tokens": tokens, "loss": loss}

    def duration(self, batch_size: int) -> float:
        self.scored(batch_size)  # compiles
        begun = time.perf_counter()
        self.scored(batch_size)
        return time.perf_counter() - begun

    @torch.inference_mode()
    def scored(self, batch_size: int) -> tuple[float, int]:
        """Mean over all targets, and their number: every token of a row but the first."""
        lengths = [len(row) for row in self.rows]
        order = list(LengthGroupedSampler(batch_size, lengths=lengths, generator=torch.Generator().manual_seed(1)))
        batches = [[self.rows[row] for row in order[at : at + batch_size]] for at in range(0, len(order), batch_size)]
        sums = [self.batch_loss(batch) for batch in batches]
        targets = sum(lengths) - len(lengths)
        return sum(sums) / targets, targets

    def batch_loss(self, batch: list[torch.Tensor]) -> float:
        inputs = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
        labels = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=-100)
        # One row, or rows of one length, need no mask: then transformers lets attention be causal without one.
        lengths = {len(row) for row in batch}
        mask = None if len(lengths) == 1 else (labels != -100).long()
        logits = self.model(input_ids=inputs, attention_mask=mask, use_cache=False).logits[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum").item()


def rows_of(config: dict) -> list[torch.Tensor]:
    """The text cut into rows of the given lengths."""
    lengths = config["row_lengths"]
    tokens = torch.from_numpy(hashed.tokens(0, sum(lengths), config["model"]["vocab_size"]))
    return list(tokens.split(lengths))


if __name__ == "__main__":
    serve(Scoring)
