"""WaveNet (van den Oord et al. 2016, arXiv:1609.03499), with the mixture output of Parallel WaveNet's teacher."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mofang.sound.nets.logistics import log_likelihood
from mofang.sound.wavenet.shape import CODES, Shape


class Layer(nn.Module):
    """One dilated layer (figure 4): z = tanh(W_f * x + V_f h) ⊙ σ(W_g * x + V_g h); 1×1 to the residual and the skip.

    The filter's and the gate's convolutions are the two halves of one, a matrix of the old tap beside the new; channels
    come last, for on a CPU products of matrices are several times as fast as convolutions of two taps.
    """

    def __init__(self, shape: Shape, dilation: int) -> None:
        super().__init__()
        width = shape.residual
        self.dilation = dilation
        self.dilated = nn.Linear(2 * width, 2 * width)
        self.condition = nn.Linear(shape.conditions, 2 * width, bias=False) if shape.conditions else None
        self.residual = nn.Linear(width, width)
        self.skip = nn.Linear(width, shape.skip)

    def forward(self, x: Tensor, conditions: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, T, R) and conditions (B, T, C) to the next layer's input (B, T, R) and the skip (B, T, S)."""
        old = F.pad(x, (0, 0, self.dilation, 0))[:, : x.size(1)]
        gates: Tensor = self.dilated(torch.cat([old, x], -1))
        if self.condition is not None and conditions is not None:
            gates = gates + self.condition(conditions)
        f, g = gates.chunk(2, -1)
        z = torch.tanh(f) * torch.sigmoid(g)
        return x + self.residual(z), self.skip(z)


class Upsampler(nn.Module):
    """y = f(h): features of frames to one vector a sample, by transposed convolutions (section 2.5).

    They begin as linear interpolation between the middles of the frames.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.conditioning
        self.widen = nn.Conv1d(shape.features, width, 3, padding=1)
        self.stretch = nn.ModuleList(
            nn.ConvTranspose1d(width, width, 2 * s + s % 2, s, padding=(s + 1) // 2) for s in shape.upsampling
        )
        for stride, layer in zip(shape.upsampling, self.stretch, strict=True):
            assert isinstance(layer, nn.ConvTranspose1d) and layer.bias is not None
            size = layer.kernel_size[0]
            triangle = (1 - (torch.arange(size) - (size - 1) / 2).abs() / stride).clamp(min=0)
            with torch.no_grad():
                layer.weight.mul_(0.1).add_(torch.eye(width)[:, :, None] * triangle)
                layer.bias.zero_()

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, features) to (B, frames · hop, conditioning)."""
        y: Tensor = self.widen(features.transpose(1, 2))
        for layer in self.stretch:
            y = layer(F.leaky_relu(y, 0.2))
        return y.transpose(1, 2)


class WaveNet(nn.Module):
    """The network: p(x_t | x_1 … x_{t−1}, h), causal and with zeros before the beginning at every layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        values = CODES if shape.output == "mulaw" else 1
        self.first = nn.Conv1d(values, shape.residual, 2)
        # Of 256 inputs one is 1: the usual scale, for inputs that are all there, would leave next to nothing of it. A
        # sample is there, but speech is about 0.05.
        nn.init.normal_(self.first.weight, 0.0, 0.7 if shape.output == "mulaw" else 5.0)
        self.layers = nn.ModuleList(Layer(shape, dilation) for dilation in shape.dilations)
        self.hidden = nn.Linear(shape.skip, shape.skip)
        self.last = nn.Linear(shape.skip, shape.outputs)
        self.upsampler = Upsampler(shape) if shape.features else None
        self.speaker = nn.Embedding(shape.speakers, shape.speaker) if shape.speakers else None

    def conditions(self, features: Tensor | None, speakers: Tensor | None) -> Tensor | None:
        """Features (B, frames, F) and speakers (B,) as what conditions each sample (B, frames · hop, C).

        With speakers and no features, (B, 1, C): the same at every sample.
        """
        parts = []
        if self.upsampler is not None:
            assert features is not None, "this network is conditioned on features"
            parts.append(self.upsampler(features))
        if self.speaker is not None:
            assert speakers is not None, "this network is conditioned on speakers"
            vector = self.speaker(speakers)[:, None]
            parts.append(vector.expand(-1, parts[0].size(1), -1) if parts else vector)
        return torch.cat(parts, -1) if parts else None

    def forward(self, samples: Tensor, conditions: Tensor | None = None) -> Tensor:
        """What each sample is drawn from, given those before it: (B, T) to (B, T, outputs).

        `samples` are codes (int64) or values in [−1, 1] (float32), `conditions` (B, T, C) or (B, 1, C).
        """
        x = self._entered(samples)
        total: Tensor | None = None
        for layer in self.layers:
            x, skip = layer(x, conditions)
            total = skip if total is None else total + skip
        assert total is not None
        out: Tensor = self.last(F.relu(self.hidden(F.relu(total))))
        return out

    def _entered(self, samples: Tensor) -> Tensor:
        """The first causal convolution, over x_{t−2} and x_{t−1}: a sample never sees itself."""
        past, now = self.first.weight[:, :, 0], self.first.weight[:, :, 1]
        length, bias = samples.size(1), self.first.bias
        assert bias is not None
        if self.shape.output == "mulaw":
            # A convolution of one-hot vectors looks rows up; before the beginning there is none.
            early = F.pad(F.embedding(samples[:, : length - 2], past.T), (0, 0, min(2, length), 0))
            late = F.pad(F.embedding(samples[:, : length - 1], now.T), (0, 0, 1, 0))
            return early[:, :length] + late + bias
        before = F.pad(samples, (2, 0))[:, :length, None] * past[:, 0]
        return before + F.pad(samples, (1, 0))[:, :length, None] * now[:, 0] + bias

    def nats(self, samples: Tensor, conditions: Tensor | None = None) -> Tensor:
        """−ln p of each sample given those before it (B, T): of its code, or of its 16-bit value."""
        logits = self(samples, conditions).float()
        if self.shape.output == "mulaw":
            return F.cross_entropy(logits.transpose(1, 2), samples, reduction="none")
        return -log_likelihood(logits, samples)
