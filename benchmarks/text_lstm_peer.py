"""The peer of `text_lstm.py`: the same stack in Keras on TensorFlow. Run by the Python of the peer's own venv."""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

WORDS, BATCH, LENGTH, RATE = 10_000, 64, 64, 1e-3


def peer(folder: Path, precision: str) -> dict[str, list[float]]:
    """Losses, and seconds of each step."""
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bf16" else "float32")
    data, weights = np.load(folder / "data.npy"), np.load(folder / "weights.npz")
    model = keras.Sequential([
        keras.layers.Embedding(WORDS, 128), keras.layers.LSTM(1024, return_sequences=True),
        keras.layers.LSTM(1024, return_sequences=True), keras.layers.Dense(WORDS, dtype="float32" if precision == "float32" else None),
    ])  # fmt: skip
    model.build((BATCH, LENGTH))
    layers = [[weights["embedding.weight"]]]
    for index in (0, 1):
        w = {name: weights[f"rnn.{index}.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        layers.append([w["weight_ih"].T, w["weight_hh"].T, w["bias_ih"] + w["bias_hh"]])
    layers.append([weights["head.weight"].T, weights["head.bias"]])
    for layer, values in zip(model.layers, layers, strict=True):
        layer.set_weights(values)
    optimizer = keras.optimizers.Adam(RATE, epsilon=1e-14)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(ids, aims):
        with tf.GradientTape() as tape:
            logits = tf.cast(model(ids, training=True), tf.float32)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(aims, logits))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    losses, seconds = [], []
    for windows in data:
        start = time.perf_counter()
        losses.append(float(step(tf.constant(windows[:, :-1]), tf.constant(windows[:, 1:]))))
        seconds.append(time.perf_counter() - start)
    return {"losses": losses, "seconds": seconds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    print(json.dumps(peer(options.folder, options.precision)))
