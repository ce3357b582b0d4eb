"""EnCodec (Défossez et al. 2022, arXiv:2210.13438) as a network of Transformers: sound to codes and back, however long."""

from typing import Any

import numpy as np

from mofang.models.hub import first_line
from mofang.sound.engines.base import Samples
from mofang.studio.errors import UserError

PIECE, OVERLAP = 30.0, 2.0
"""Seconds decoded at once (a few hundred megabytes), and of what lies around them that is decoded too, so that the network's
memory of what came before is the same."""


class Codec:
    """Codes of one channel, `rate` Hz, `hop` samples a frame."""

    def __init__(self, network: Any, name: str) -> None:
        """Raises `UserError` for another codec, or one that works in pieces of its own."""
        config = network.config
        if config.model_type != "encodec" or config.chunk_length is not None or int(config.audio_channels) != 1:
            raise UserError(f"{name} has a codec that does not run here; give a MusicGen with EnCodec at 32 kHz")
        self.rate, self.hop = int(config.sampling_rate), int(np.prod(config.upsampling_ratios))
        self._network, self._name = network, name

    def encode(self, samples: Samples, books: int) -> Any:
        """The codes (books, ⌈n / hop⌉) of samples (n,)."""
        import torch

        if not len(samples):
            return torch.zeros((books, 0), dtype=torch.long, device=self._network.device)
        sound = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None, None].to(self._network.device)
        try:
            codes = self._network.encode(sound).audio_codes[0, 0]
        except (RuntimeError, ValueError, IndexError) as error:
            raise UserError(f"{self._name} could not hear the beginning ({first_line(error)}); fetch it again") from error
        if len(codes) != books:
            raise UserError(f"{self._name}'s codec has {len(codes)} code books and its transformer {books}; fetch it again")
        return codes

    def decode(self, codes: Any, piece: float = PIECE, overlap: float = OVERLAP) -> Samples:
        """The samples (frames · hop,) of codes (books, frames)."""
        size, around = (max(1, round(seconds * self.rate / self.hop)) for seconds in (piece, overlap))
        parts = []
        for start in range(0, codes.shape[1], size):
            first, last = max(0, start - around), min(start + size + around, codes.shape[1])
            try:
                sound = self._network.decode(codes[None, None, :, first:last], [None]).audio_values[0, 0].float().cpu().numpy()
            except (RuntimeError, ValueError, IndexError) as error:
                raise UserError(f"{self._name} made codes that are no sound ({first_line(error)}); fetch it again") from error
            wanted = (min(start + size, codes.shape[1]) - start) * self.hop
            parts.append(sound[(start - first) * self.hop :][:wanted])
        return np.concatenate([np.zeros(0, np.float32), *parts])
