"""The matrix products of a training step, at the model's own shapes: what the machine's limit is measured with."""


def products(config: dict) -> list[tuple[str, int, int, int]]:
    """
    Name, and [m, k] times [k, n]: for each weight matrix [out, in] the forward product, the gradient of its input and its own.
    Also the forms in which q, k and v, and w1 and w3, are one matrix.
    """
    model, tokens = config["model"], config["rows"] * config["sequence"]
    dim, hidden, vocabulary = model["dim"], model["hidden_dim"], model["vocab_size"]
    key_value_dim = dim // model["n_heads"] * model["n_kv_heads"]
    shapes = {
        "wo": (dim, dim),
        "wqkv": (dim, dim + 2 * key_value_dim),
        "w1": (dim, hidden),
        "w13": (dim, 2 * hidden),
        "w2": (hidden, dim),
        "output": (dim, vocabulary),
    }
    return [
        product
        for name, (inner, outer) in shapes.items()
        for product in (
            (f"{name} forward", tokens, inner, outer),
            (f"{name} input gradient", tokens, outer, inner),
            (f"{name} weight gradient", outer, tokens, inner),
        )
    ]


def giga_per_second(run, m: int, k: int, n: int, clock, repeats: int = 3) -> float:
    """The best of some calls of `run`, in 1e9 operations a second; a multiplication and an addition are two."""
    run()
    durations = []
    for _ in range(repeats):
        begun = clock()
        run()
        durations.append(clock() - begun)
    return 2 * m * k * n / min(durations) / 1e9
