"""Build `glyphs.tsv` from an unpacked emojibase-data package (MIT, Miles Johnson).

    python -m mofang.image.engines.collage.data.build PATH_TO_EMOJIBASE [OUT.tsv]

PATH holds `en/data.json`, `zh/data.json` and `meta/groups.json`. Skin-tone variants (emojibase keeps them under `skins`),
keycaps, arrows, signs, zodiac and other typographic symbols are left out: nobody draws a scene with them.
"""

import json
import sys
from pathlib import Path
from typing import Any

HEADER = """\
# Glyph index of the collage engine, derived from emojibase-data 17.0.0 (https://emojibase.dev), MIT licence,
# Copyright (c) 2017-2025 Miles Johnson. Rebuild: python -m mofang.image.engines.collage.data.build PATH_TO_EMOJIBASE
# hexcode\tkind\tsubgroup\ten label\ten tags\tzh label\tzh tags
"""

KINDS = {  # subgroup -> what the thing is in a picture
    "person": "person", "person-role": "person", "person-fantasy": "person", "person-activity": "person",
    "person-sport": "person", "person-resting": "person", "person-gesture": "person", "family": "person",
    "hands": "body", "hand-prop": "body", "body-parts": "body", "person-symbol": "body",
    "animal-mammal": "animal", "animal-bird": "animal", "animal-amphibian": "animal", "animal-reptile": "animal",
    "animal-marine": "animal", "animal-bug": "animal",
    "plant-flower": "plant", "plant-other": "plant",
    "food-fruit": "food", "food-vegetable": "food", "food-prepared": "food", "food-asian": "food",
    "food-marine": "food", "food-sweet": "food", "drink": "food", "dishware": "thing",
    "place-map": "thing", "place-geographic": "land", "place-building": "building", "place-religious": "building",
    "place-other": "building", "transport-ground": "vehicle", "transport-water": "vehicle", "transport-air": "aircraft",
    "hotel": "thing", "time": "thing", "sky-weather": "sky",
    "event": "thing", "award-medal": "thing", "sport": "thing", "game": "thing", "arts-crafts": "thing",
    "clothing": "thing", "sound": "thing", "music": "thing", "musical-instrument": "thing", "phone": "thing",
    "computer": "thing", "light-video": "thing", "book-paper": "thing", "money": "thing", "mail": "thing",
    "writing": "thing", "office": "thing", "lock": "thing", "tool": "thing", "science": "thing", "medical": "thing",
    "household": "thing", "other-object": "thing", "face-costume": "person", "heart": "symbol", "emotion": "symbol",
    "country-flag": "flag", "flag": "flag",
}
# The art sets draw these as framed little pictures: good scenes, bad stickers. The painter paints the scene itself.
VIEWS = set("🎆🎇🎑🌠🌌🌃🏙🌄🌅🌆🌇🌉🏞🏜🛤🛣🌁🗾💹🚞🌐")
# Drawn by Noto already, not yet named by emojibase 17 (Unicode 18 draft).
NEWER = ("1F6D9\tbuilding\tplace-building\tlighthouse\tbeacon|coast\t灯塔\t航标|海岸",)
SINGLE: dict[str, str] = (
    dict.fromkeys("🐾🪶🪽🕸🐽⚓🛟🛢⛽🛞🚨🚥🚦🛑🚧🚏💺🌡🌂☂☔⛱🔥💧🌊⛄☃🧱🪨🪵♨💈⛺🪹🪺👣💩✨", "thing")
    | dict.fromkeys("🎈🪁🌙", "sky")
    | dict.fromkeys("🐉", "animal")
    | dict.fromkeys("♠♥♦♣🃏🎴👤👥🗣🫆🔇🔈🔉🔊🔕💹👿😈👹👺🌚🌛🌜🌝🌞🎦", "skip")
)


def kind(entry: dict[str, Any], subgroup: str) -> str:
    """What `entry` is in a picture, or `skip`."""
    bare = entry["emoji"].replace("\ufe0f", "")
    if bare in VIEWS:
        return "view"
    if subgroup == "time" and ("o’clock" in entry["label"] or "-thirty" in entry["label"]):
        return "skip"
    return SINGLE.get(bare, KINDS.get(subgroup, "skip"))


def build(emojibase: Path) -> str:
    """The text of `glyphs.tsv`, in emojibase's own order."""
    english = json.loads((emojibase / "en/data.json").read_text("utf-8"))
    chinese = {entry["hexcode"]: entry for entry in json.loads((emojibase / "zh/data.json").read_text("utf-8"))}
    names = json.loads((emojibase / "meta/groups.json").read_text("utf-8"))["subgroups"]
    rows = []
    for entry in sorted(english, key=lambda entry: entry.get("order", 0)):
        subgroup = names.get(str(entry.get("subgroup")), "")
        what = kind(entry, subgroup)
        if what == "skip":
            continue
        translated = chinese.get(entry["hexcode"], {})
        rows.append("\t".join([entry["hexcode"], what, subgroup, entry["label"], "|".join(entry.get("tags", [])),
                               translated.get("label", ""), "|".join(translated.get("tags", []))]))
    return HEADER + "\n".join([*rows, *NEWER]) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("glyphs.tsv")
    target.write_text(build(Path(sys.argv[1])), "utf-8")
