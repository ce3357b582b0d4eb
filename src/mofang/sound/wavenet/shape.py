"""A WaveNet's shape: what its configuration file says and everything that follows from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mofang.studio.errors import UserError

Output = Literal["mulaw", "logistics"]

MODEL_TYPE = "wavenet"
CODES = 256
"""Values of a μ-law sample (8 bits)."""


@dataclass(frozen=True)
class Shape:
    """van den Oord et al. 2016 (arXiv:1609.03499): layer k of `layers` has dilation 2^(k mod `cycle`) and two taps.

    `residual` and `skip` are channels; `output` is a softmax over 256 μ-law codes (section 2.2) or a mixture of
    `mixtures` discretised logistics over 16-bit samples (arXiv:1711.10433, section 2). `features` acoustic features,
    one frame every `hop` samples, are widened to `conditioning` channels and upsampled by transposed convolutions of
    strides `upsampling` (their product is `hop`). `speakers` > 0 adds a learned vector of `speaker` channels that is the
    same at every sample (global conditioning). `emphasis` is the coefficient of the filter the sound passed before it
    was learned (0: none), which the sampler undoes.
    """

    layers: int = 30
    cycle: int = 10
    residual: int = 64
    skip: int = 64
    output: Output = "mulaw"
    mixtures: int = 10
    rate: int = 16_000
    features: int = 82
    hop: int = 200
    conditioning: int = 64
    upsampling: tuple[int, ...] = (10, 20)
    speakers: int = 0
    speaker: int = 16
    emphasis: float = 0.0

    def __post_init__(self) -> None:
        product = 1
        for stride in self.upsampling:
            product *= stride
        # Sixteen channels fill one vector of the compiled step.
        if self.residual % 16 or self.skip % 16 or not 1 <= self.layers <= 200 or not 1 <= self.cycle <= 14:
            raise ValueError("residual and skip channels come in sixteens, layers up to 200, dilations up to 2^13")
        if not (16 <= self.residual <= 1024 and 16 <= self.skip <= 4096 and 0 < self.mixtures <= 100):
            raise ValueError("residual channels are 16 to 1024, skip channels 16 to 4096, mixtures 1 to 100")
        if max(self.features, self.hop, self.conditioning, self.speaker, self.speakers) > 4096:
            raise ValueError("features, hop, conditioning channels and speakers go up to 4096")
        if self.features and (product != self.hop or min(self.upsampling, default=1) < 1):
            raise ValueError(f"upsampling by {self.upsampling} does not make {self.hop} samples of a frame")
        if not 0 <= self.emphasis < 1:
            raise ValueError(f"emphasis is {self.emphasis}, not 0 to 1")
        if self.output not in ("mulaw", "logistics") or min(self.features, self.speakers, self.conditioning) < 0:
            raise ValueError("output is mulaw or logistics; features, speakers and conditioning are not negative")

    @property
    def dilations(self) -> tuple[int, ...]:
        """The dilation of each layer."""
        return tuple(1 << (layer % self.cycle) for layer in range(self.layers))

    @property
    def receptive_field(self) -> int:
        """How many past samples a prediction depends on: one tap more per dilation, and the two of the first layer."""
        return sum(self.dilations) + 2

    @property
    def outputs(self) -> int:
        """Channels of the last layer: logits of codes, or weight, mean and log-scale of each logistic."""
        return CODES if self.output == "mulaw" else 3 * self.mixtures

    @property
    def conditions(self) -> int:
        """Channels of what conditions a layer at each sample: local features and the speaker's vector."""
        return (self.conditioning if self.features else 0) + (self.speaker if self.speakers else 0)

    @property
    def multiplications(self) -> int:
        """Multiply-adds of the network for one sample, conditioning included."""
        gate = 2 * self.residual * (2 * self.residual + self.conditions)
        return self.layers * (gate + self.residual * (self.residual + self.skip)) + self.skip * (self.skip + self.outputs)

    def config(self) -> dict[str, Any]:
        """As `config.json` has it."""
        return {"model_type": MODEL_TYPE, **asdict(self)}

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "Shape":
        """From a configuration. Raises `UserError` if it describes no WaveNet."""
        if config.get("model_type") != MODEL_TYPE:
            kind = str(config.get("model_type"))[:40]
            raise UserError(f"a model of kind {kind!r} is no WaveNet; give one trained with --kind wavenet")
        try:
            values = {name: config[name] for name in cls.__dataclass_fields__ if name in config}
            for name, value in values.items():
                wanted = {"output": (str,), "upsampling": (list, tuple), "emphasis": (float, int)}.get(name, (int,))
                if type(value) not in wanted:
                    raise ValueError(f"{name} is {value!r}")
            return cls(**{**values, "upsampling": tuple(int(stride) for stride in values.get("upsampling", (10, 20)))})
        except (TypeError, ValueError) as error:
            raise UserError(f"this model's config.json describes no WaveNet ({error}); train or fetch it again") from error
