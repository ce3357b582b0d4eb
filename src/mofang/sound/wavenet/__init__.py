"""WaveNet in use: packed weights, a compiled step with cached activations, and the naive evaluation it must equal.

No torch here: `Sampler` reads a model's folder and makes samples from acoustic features.
"""
