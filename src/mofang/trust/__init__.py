"""Labels, credentials, and the only door out of the studio.

>>> from mofang.trust import Claim, publish, verify
>>> publish(Path("fox.png"), Path("out/fox.png"), Claim("A fox"), studio.folder)
>>> report = verify(Path("out/fox.png"), studio.folder)
>>> report.ok
True
>>> print(*report.lines("zh"), sep="\\n")

A film's frames must show the label before it comes here: `overlay(width, height)` is that label, to be drawn at full
strength over every frame of the first two seconds and a little more.
"""

from mofang.trust.aigc import Record
from mofang.trust.credentials import Claim, Credentials, Part
from mofang.trust.labels import Overlay, has_audio_label, has_text_label, label_audio, label_text, overlay
from mofang.trust.publish import Receipt, publish
from mofang.trust.report import Fault, Report
from mofang.trust.verify import verify

__all__ = [
    "Claim", "Credentials", "Fault", "Overlay", "Part", "Receipt", "Record", "Report", "has_audio_label", "has_text_label",
    "label_audio", "label_text", "overlay", "publish", "verify",
]  # fmt: skip
