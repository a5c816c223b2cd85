"""How fast TensorFlow multiplies matrices here."""
import time

import tensorflow as tf

from products import giga_per_second, products
from protocol import serve


class Products:
    def __init__(self, config: dict):
        tf.config.threading.set_intra_op_parallelism_threads(config["threads"])
        kind = tf.dtypes.as_dtype(config["precision"])
        self.multiply = tf.function(lambda a, b: tf.matmul(a, b, transpose_b=True), reduce_retracing=True)
        self.operands = {
            name: (tf.cast(tf.random.normal([m, k]), kind), tf.cast(tf.random.normal([n, k]), kind), (m, k, n))
            for name, m, k, n in products(config)
        }
        self.seconds = self.run(1)["seconds"]

    def ready(self) -> dict:
        return {"version": f"TensorFlow {tf.__version__}", "seconds": self.seconds}

    def run(self, count: int) -> dict:
        begun = time.perf_counter()
        speeds = {
            name: giga_per_second(lambda: self.multiply(a, b)[0, 0].numpy(), *sizes, time.perf_counter)
            for name, (a, b, sizes) in self.operands.items()
        }
        return {"seconds": time.perf_counter() - begun, "tokens": 0, "giga_per_second": speeds}


if __name__ == "__main__":
    serve(Products)
