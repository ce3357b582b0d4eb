"""Voices of any service that speaks OpenAI's `/audio/speech`: OpenAI, and compatible servers of one's own.

Protocol: https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mofang.models.service import Patience, Refused, Service
from mofang.sound import pcm
from mofang.sound.engines.base import Samples, Speech, estimated
from mofang.sound.frontend import Unit
from mofang.studio.errors import UserError

ADDRESS = "https://api.openai.com/v1"
LARGEST = 100_000_000
"""Bytes of an answer: half an hour of WAV."""
LONGEST_INPUT = 4096
"""Characters the protocol takes at once."""


def where() -> str:
    """The address of the service: `OPENAI_BASE_URL`, or OpenAI's."""
    return os.environ.get("OPENAI_BASE_URL", "").strip() or ADDRESS


class OpenAIVoices:
    """A `VoiceEngine` whose voices are `openai:MODEL/VOICE`. Words are sent as written; when each sounds is an estimate."""

    rate = 24_000
    longest = 1500
    tells_times = False

    def __init__(self, threads: int = 1, patience: Patience | None = None) -> None:
        self._patience = patience

    def speak(self, units: Sequence[Unit], voice: str, speed: float) -> Speech:
        """Have `units` said; shape and errors as in `VoiceEngine`. The service may say them otherwise each time."""
        model, _, speaker = voice.removeprefix("openai:").rpartition("/")
        if not model or not speaker:
            raise UserError(f"'{voice[:40]}' does not say which model and voice; write openai:MODEL/VOICE, such as openai:tts-1/alloy")
        text = "".join(unit.text for unit in units).strip()[:LONGEST_INPUT]
        service = Service(where(), patience=self._patience, largest=LARGEST)
        body = {"model": model, "voice": speaker, "input": text, "response_format": "wav", "speed": speed}
        try:
            answer = service.post_for_bytes("/audio/speech", body)
        except Refused as refused:
            todo = {404: f"check the address (it usually ends in /v1) and the model name '{model}'"}
            advice = todo.get(refused.status, "check the model and the voice")
            raise UserError(f"{service.host} answered {refused.status} ({refused.said}); {advice}") from refused
        samples = _decoded(answer, service.host)
        return Speech(samples, self.rate, estimated(units, samples, self.rate))

    def utter(self, tokens: Sequence[int], voice: str, speed: float) -> tuple[Samples, Samples]:
        """Services take words and no phonemes: `UserError`."""
        raise UserError("a service's voice does not tell how long its phonemes are: nothing can be trained on it; use a ready voice")


def _decoded(answer: bytes, host: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer"
        path.write_bytes(answer)
        try:
            return pcm.read(path, OpenAIVoices.rate)
        except UserError as error:
            raise UserError(f"{host} sent no sound; check that the model speaks, and the address") from error
