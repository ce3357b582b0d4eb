"""Speech read back: what a recogniser hears of it, beside what it should say.

>>> from mofang.sound.hearing import Whisper, check
>>> check("床前明月光", Whisper()(samples, "zh"), "zh").rate
"""

from mofang.sound.hearing.check import Checked, Fault, check, wanted
from mofang.sound.hearing.errors import align, distance, error_rate
from mofang.sound.hearing.units import Unit, units
from mofang.sound.hearing.whisper import RATE, Recogniser, Whisper

__all__ = ["RATE", "Checked", "Fault", "Recogniser", "Unit", "Whisper", "align", "check", "distance", "error_rate", "units", "wanted"]
