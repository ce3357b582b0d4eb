"""A mixture of discretised logistics: the distribution of one 16-bit sample.

PixelCNN++ (Salimans et al. 2017, arXiv:1701.05517, section 2.1) as Parallel WaveNet applies it to sound
(van den Oord et al. 2017, arXiv:1711.10433, section 2): the mass of a sample is that of a continuous mixture over the
step it was rounded from; the outermost steps take the tails.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 1 << 16
"""Steps of a 16-bit sample in [−1, 1]."""
NARROWEST = -9.0
"""The least log-scale: about four steps. Narrower components would be spikes on single values."""


def log_likelihood(parameters: Tensor, x: Tensor, levels: int = LEVELS) -> Tensor:
    """ln P(x) of samples x (…) in [−1, 1] on the grid of `levels` steps, under `parameters` (…, 3K), in nats, shape (…).

    The 3K channels are K logits of the weights, K means and K log-scales.
    """
    weights, means, scales = parameters.float().chunk(3, -1)
    scales = scales.clamp(min=NARROWEST)
    centred = x.unsqueeze(-1) - means
    half, inverse = 1.0 / (levels - 1), torch.exp(-scales)
    upper, lower = inverse * (centred + half), inverse * (centred - half)
    # The mass of a step is σ(upper) − σ(lower). Where that cancels, density times width is exact enough.
    mass = torch.sigmoid(upper) - torch.sigmoid(lower)
    middle = inverse * centred
    density = middle - scales - 2 * F.softplus(middle) + torch.log(torch.tensor(2 * half))
    inside = torch.where(mass > 1e-5, torch.log(mass.clamp(min=1e-12)), density)
    first = upper - F.softplus(upper)  # ln σ(upper): everything below the lowest step's border
    last = -F.softplus(lower)  # ln (1 − σ(lower))
    edge = x.unsqueeze(-1)
    chosen = torch.where(edge <= -1 + half, first, torch.where(edge >= 1 - half, last, inside))
    return torch.logsumexp(chosen + F.log_softmax(weights, -1), -1)
