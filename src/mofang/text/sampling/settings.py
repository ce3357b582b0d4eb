"""How the next token is chosen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mofang.studio.errors import UserError


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen from the model's distribution. Applied in this order, as Transformers does:

    `bias` is added to the logits of tokens (−inf bans one). `repetition` θ divides positive logits of tokens that stand
    in the text already, and multiplies negative ones (CTRL, arXiv:1909.05858); 1 does nothing. `no_repeat` n lets no n
    tokens stand in the text twice; 0 does nothing. `temperature` divides the logits; 0 takes the likeliest token.
    `top_k` keeps the k likeliest (0: all), `top_p` the smallest set with that share of the probability (nucleus,
    arXiv:1904.09751), `min_p` those with at least that share of the likeliest's probability (arXiv:2407.01082),
    `typical` the share whose information is nearest the distribution's entropy (arXiv:2202.00666).
    Raises `UserError` for values outside their range.
    """

    temperature: float = 0.9
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical: float = 1.0
    repetition: float = 1.0
    no_repeat: int = 0
    bias: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ranges = {
            "temperature": (0 <= self.temperature <= 100, "from 0 (the likeliest token) to 100"),
            "top_k": (self.top_k >= 0, "0 (all) or more"),
            "top_p": (0 < self.top_p <= 1, "above 0 and at most 1 (all)"),
            "min_p": (0 <= self.min_p <= 1, "from 0 (all) to 1"),
            "typical": (0 < self.typical <= 1, "above 0 and at most 1 (all)"),
            "repetition": (0 < self.repetition <= 100, "above 0 (1 does nothing) and at most 100"),
            "no_repeat": (self.no_repeat >= 0, "0 (off) or more"),
        }
        for name, (fits, wanted) in ranges.items():
            if not fits:
                raise UserError(f"{name} cannot be {getattr(self, name)}; give a value {wanted}")
        if any(math.isnan(value) or value == math.inf for value in self.bias.values()):
            raise UserError("a bias must be a number; give one between -100 and 100, or -inf to ban the token")

    @property
    def plain(self) -> bool:
        """Whether the logits are taken as they are: no history, no bias."""
        return self.repetition == 1 and self.no_repeat == 0 and not self.bias
