"""Put a trained model among those that ship: `weights/NAME`, with a card that says what it is.

    python recipes/ship.py RUN NAME --title TITLE --licence LICENCE [--form FORM] [--source 'name, licence, address' …]

Copies the run's model, drops from its card what only this computer knows (paths), and keeps the recipe, the hash of the
data and what was measured. `--without` leaves out files that only further training needs. Refuses a model over 80 MB.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from mofang.models import own

LARGEST = 80 << 20
HERE = Path(__file__).resolve().parents[1]


def without_places(card: Any) -> Any:
    """The card, and the cards of its parts, without what only this computer knows."""
    if isinstance(card, dict):
        return {key: without_places(value) for key, value in card.items() if key not in own.PLACES}
    return [without_places(each) for each in card] if isinstance(card, list) else card


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--title", required=True)
    parser.add_argument("--licence", required=True)
    parser.add_argument("--language", action="append", default=[], help="zh, en")
    parser.add_argument("--form", default="", help="the format of its prompts, if it has one: poem")
    parser.add_argument("--command", action="append", default=[], help="what re-makes it, in order")
    parser.add_argument("--source", action="append", default=[], help="name, licence, address of the data")
    parser.add_argument("--without", action="append", default=[], help="a file that is not needed to use it")
    options = parser.parse_args()
    source = own.find(options.run)
    files = [path for path in source.iterdir() if path.name not in (own.CARD, *options.without)]
    if sum(path.stat().st_size for path in files) > LARGEST:
        sys.exit(f"{source} is over {LARGEST >> 20} MB; train a smaller model or keep it as float16")
    target = HERE / "weights" / options.name
    target.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, target / path.name)
    card = without_places(own.read_card(source))
    card |= {"name": options.name, "title": options.title, "licence": options.licence,
             "recipe": {"commands": options.command, **card.get("recipe", {})}}  # fmt: skip
    if options.language:
        card["languages"] = options.language
    if options.form:
        card["format"] = {"form": options.form}
    if options.source:
        card["sources"] = options.source
    own.write_card(target, card)
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
