"""TensorFlow's training step from Python: one tf.function of chunked causal attention, clipping, and AdamW's own kernel, oneDNN on."""
import time

import tensorflow as tf

import hashed
from protocol import serve

QUERY_CHUNK = 128  # keys behind a chunk's end are never computed: the largest single gain on a CPU


class Step:
    def __init__(self, config: dict):
        tf.config.threading.set_intra_op_parallelism_threads(config["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(config["threads"])
        self.config, self.training, self.model = config, config["training"], config["model"]
        self.kind = tf.dtypes.as_dtype(config["precision"])
        self.weights = {name: tf.Variable(values) for name, values in hashed.weights(self.model).items()}
        self.moments = {name: (zeros(each), zeros(each)) for name, each in self.weights.items()}
        self.cos, self.sin = self.rotations()
        self.compiled = tf.function(self.computed)
        self.taken = 0
        self.first = self.step()
        for _ in range(config["warm_up"] - 1):
            begun = time.perf_counter()
            self.step()
            self.warm_seconds = time.perf_counter() - begun

    def ready(self) -> dict:
        return {**self.first, "version": f"TensorFlow {tf.__version__}", "seconds": self.warm_seconds}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        for _ in range(count):
            last = self.step()
        tokens = count * self.config["rows"] * self.config["sequence"]
        return {**last, "seconds": time.perf_counter() - begun, "tokens": tokens}

    def step(self) -> dict:
        sizes = self.config["rows"], self.config["sequence"], self.model["vocab_size"]
        inputs, labels = hashed.batch(self.taken, *sizes)
        self.taken += 1
        times = [self.training[name] ** self.taken for name in ("beta1", "beta2")]
        loss, norm = self.compiled(*(tf.constant(each, tf.int32) for each in (inputs, labels)), *map(tf.constant, times))
        return {"loss": float(loss), "gradient_norm": float(norm)}

    def computed(self, inputs, labels, beta1_power, beta2_power):
        names, variables = list(self.weights), list(self.weights.values())
        with tf.GradientTape() as tape:
            loss = self.loss(inputs, labels)
        gradients = [tf.convert_to_tensor(each) for each in tape.gradient(loss, variables)]
        clipped, norm = tf.clip_by_global_norm(gradients, self.training["max_gradient_norm"])
        rate, decay = self.training["learning_rate"], self.training["weight_decay"]
        for name, variable, gradient in zip(names, variables, clipped):
            if len(variable.shape) == 2:
                variable.assign(variable * (1 - rate * decay))
            self.adam(variable, self.moments[name], gradient, beta1_power, beta2_power)
        return loss, norm

    def adam(self, variable, moments, gradient, beta1_power, beta2_power):
        first, second = (each.handle for each in moments)
        # The kernel adds epsilon to the root before its bias is corrected; scaled by the correction, that is AdamW's epsilon.
        epsilon = self.training["epsilon"] * tf.sqrt(1 - beta2_power)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=first, v=second, beta1_power=beta1_power, beta2_power=beta2_power,
            lr=self.training["learning_rate"], beta1=self.training["beta1"], beta2=self.training["beta2"],
            epsilon=epsilon, grad=gradient,
        )  # fmt: skip

    def loss(self, inputs, labels):
        x = tf.gather(self.weights["tok_embeddings.weight"], inputs)
        for layer in range(self.model["n_layers"]):
            name = f"layers.{layer}"
            x += self.attention(self.normed(x, f"{name}.attention_norm.weight"), f"{name}.attention")
            x += self.feed_forward(self.normed(x, f"{name}.ffn_norm.weight"), f"{name}.feed_forward")
        hidden = tf.reshape(self.normed(x, "norm.weight"), [-1, self.model["dim"]])
        logits = tf.cast(self.product(hidden, "tok_embeddings.weight"), tf.float32)
        targets = tf.reshape(labels, [-1])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(targets, 0), logits=logits)
        counted = tf.cast(targets >= 0, tf.float32)
        return tf.reduce_sum(losses * counted) / tf.reduce_sum(counted)

    def attention(self, x, name):
        rows, sequence, dim = x.shape
        heads, kv_heads = self.model["n_heads"], self.model["n_kv_heads"]
        group, head_dim = heads // kv_heads, dim // heads
        q = self.rotated(tf.reshape(self.linear(x, f"{name}.wq.weight"), [rows, sequence, heads, head_dim]))
        k = self.rotated(tf.reshape(self.linear(x, f"{name}.wk.weight"), [rows, sequence, kv_heads, head_dim]))
        v = tf.reshape(self.linear(x, f"{name}.wv.weight"), [rows, sequence, kv_heads, head_dim])
        # The query heads of a key head side by side as rows, so that keys need not be repeated: [B, KV, S, group, hd]
        q = tf.transpose(tf.reshape(q * head_dim**-0.5, [rows, sequence, kv_heads, group, head_dim]), [0, 2, 1, 3, 4])
        k, v = (tf.transpose(each, [0, 2, 1, 3]) for each in (k, v))
        chunks = [
            self.attended(q[:, :, at : at + QUERY_CHUNK], k[:, :, : at + QUERY_CHUNK], v[:, :, : at + QUERY_CHUNK], at)
            for at in range(0, sequence, QUERY_CHUNK)
        ]
        y = tf.reshape(tf.transpose(tf.concat(chunks, 2), [0, 2, 1, 3, 4]), [rows, sequence, dim])
        return self.linear(y, f"{name}.wo.weight", tf.float32)

    def attended(self, q, k, v, at):
        """Queries at positions from `at` on, keys and values up to the last of them."""
        rows, kv_heads, queries, group, head_dim = q.shape
        keys = k.shape[2]
        scores = tf.matmul(tf.reshape(q, [rows, kv_heads, queries * group, head_dim]), k, transpose_b=True)
        scores = tf.reshape(tf.cast(scores, tf.float32), [rows, kv_heads, queries, group, keys])
        later = tf.range(keys)[None, :] > tf.range(at, at + queries)[:, None]
        scores += tf.where(later, -1e9, 0.0)[:, None, :]
        mixed = tf.reshape(tf.cast(tf.nn.softmax(scores), self.kind), [rows, kv_heads, queries * group, keys])
        return tf.reshape(tf.matmul(mixed, v), [rows, kv_heads, queries, group, head_dim])

    def feed_forward(self, x, name):
        gate = tf.nn.silu(self.linear(x, f"{name}.w1.weight"))
        return self.linear(gate * self.linear(x, f"{name}.w3.weight"), f"{name}.w2.weight", tf.float32)

    def normed(self, x, name):
        x = tf.cast(x, tf.float32)
        scale = tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + self.model["norm_eps"])
        return x * scale * self.weights[name]

    def rotated(self, x):
        a, b = tf.unstack(tf.reshape(x, [*x.shape[:-1], -1, 2]), axis=-1)
        return tf.reshape(tf.stack([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1), x.shape)

    def rotations(self):
        head_dim = self.model["dim"] // self.model["n_heads"]
        rates = self.model["rope_theta"] ** (-tf.range(0, head_dim, 2, tf.float64) / head_dim)
        angles = (tf.range(self.config["sequence"], dtype=tf.float64)[:, None] * rates)[:, None, :]
        return tf.cast(tf.cos(angles), self.kind), tf.cast(tf.sin(angles), self.kind)

    def linear(self, x, name, kind=None):
        product = self.product(tf.reshape(x, [-1, x.shape[-1]]), name)
        return tf.cast(tf.reshape(product, [*x.shape[:-1], -1]), kind or self.kind)

    def product(self, x, name):
        return tf.matmul(tf.cast(x, self.kind), tf.cast(self.weights[name], self.kind), transpose_b=True)


def zeros(variable):
    return tf.Variable(tf.zeros_like(variable))


if __name__ == "__main__":
    serve(Step)
