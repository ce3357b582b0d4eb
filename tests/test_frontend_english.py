"""English: what is said for what is written."""

import pytest

from mofang.sound.frontend import normalise, phonemize

SPOKEN = """
$1,299.00|one thousand two hundred ninety-nine dollars
$3.50|three dollars and fifty cents
$2.5 billion|two point five billion dollars
99¢|ninety-nine cents
March 5, 2024|March fifth, twenty twenty-four
2024-03-05|March fifth, twenty twenty-four
5 March|the fifth of March
7:30 pm|seven thirty P.M.
8:05|eight oh five
1905 and the 1990s|nineteen oh five and the nineteen nineties
1st, 22nd, 13th|first, twenty-second, thirteenth
3-5 days|three to five days
10 km, 1 kg, 60 mph|ten kilometers, one kilogram, sixty miles per hour
-5°C|minus five degrees Celsius
3/4 and 1/2|three quarters and one half
20-30%|twenty to thirty percent
Dr. Smith on Oak Dr.|Doctor Smith on Oak Drive.
In St. Louis on Main St.|In Saint Louis on Main Street.
No. 5|number five
555-123-4567|five five five, one two three, four five six seven
Henry VIII and Chapter IV|Henry the eighth and Chapter four
World War II.|World War two.
e.g. this, etc.|for example this, et cetera.
a.b@c.com|a dot b at c dot com
2+2=4|2 plus 2 equals 4
3D and iPhone 15|three D and iPhone fifteen
007|zero zero seven
"""


@pytest.mark.parametrize("line", SPOKEN.strip().splitlines())
def test_written_to_spoken(line: str) -> None:
    written, said = line.split("|")
    spoken = " ".join("".join(run.spoken for run in normalise(written, "en")).split())
    assert spoken == said.replace("2 plus 2 equals 4", "two plus two equals four")


def test_a_sentence_in_kokoros_symbols() -> None:
    units = phonemize("It isn't $5, Dr. Lee!", "en")
    assert [u.text for u in units] == ["It ", "isn't ", "$5, ", "Dr. ", "Lee!"]
    assert "".join(u.phonemes for u in units) == "ˌɪt ˈɪzᵊnt fˈIv dˈɑləɹz, dˈɑktəɹ lˈi!"


def test_acronyms_are_spelled_and_words_are_not() -> None:
    said = {u.text.strip(): u.phonemes.strip() for u in phonemize("DNA NASA GDP", "en")}
    assert said == {"DNA": "dˌiˌɛnˈA", "NASA": "nˈæsə", "GDP": "ʤˌidˌipˈi"}
