"""What a generator and a discriminator play for. Logits are real numbers; D(x) = sigmoid(logit).

Goodfellow et al. 2014, "Generative Adversarial Nets" (arXiv 1406.2661): equation 1,
min_G max_D V(D, G) = E_x[log D(x)] + E_z[log(1 − D(G(z)))], and the loss for G of section 3 that does not saturate.
Jolicoeur-Martineau 2019 (arXiv 1807.00734): the relativistic pairing loss. Mescheder et al. 2018 (arXiv 1801.04406): the
zero-centred penalties R1 (on real pictures) and R2 (on generated ones). The last two together: Huang et al. 2024,
"The GAN is dead; long live the GAN!" (R3GAN, arXiv 2501.05441).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def value(real: Tensor, fake: Tensor) -> Tensor:
    """V(D, G) of logits of real and generated pictures: at most 0, and −log 4 where D cannot tell them apart."""
    # log sigmoid(x) = −softplus(−x), and log(1 − sigmoid(x)) = −softplus(x), without overflow.
    return -F.softplus(-real).mean() - F.softplus(fake).mean()


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """What D descends: −V."""
    return -value(real, fake)


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """What G descends in equation 1: E[log(1 − D(G(z)))]; `real` does not matter to it."""
    return -F.softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """−E[log D(G(z))]: the same fixed point, and a gradient where D is sure (section 3)."""
    return F.softplus(-fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(−(D(x) − D(G(z))))] over pairs: real pictures shall seem more real than generated ones."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The same with the roles exchanged."""
    return F.softplus(real - fake).mean()


@dataclass(frozen=True)
class Game:
    """The two losses of a game, each of logits (real, fake). `paired`: G's loss needs the logits of real pictures."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    paired: bool = False


GAMES = {
    "relativistic": Game(relativistic_discriminator, relativistic_generator, paired=True),
    "non-saturating": Game(discriminator, non_saturating_generator),
    "minimax": Game(discriminator, minimax_generator),
}


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """E‖∇ₓ D(x)‖², the squared norm over a whole picture: R1 on real, R2 on generated pictures (times γ/2).

    `pictures` must require gradients; the result can be differentiated.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()
