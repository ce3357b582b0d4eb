"""The peer of `text_prepare.py`: what a careful programmer writes in Python with jieba and datasketch.

JSON Lines in; Unicode NFC; exact duplicates by hash; near-duplicates by MinHash of 64 permutations over the shingles of five
characters, at 0.8; jieba's words counted; split by document; a character vocabulary of the train split; uint16 out.
"""

import hashlib
import json
import random
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path

import jieba
import numpy as np
from datasketch import MinHash, MinHashLSH


def main(source: Path, out: Path) -> None:
    jieba.initialize()
    start = time.perf_counter()
    index = MinHashLSH(threshold=0.8, num_perm=64)
    seen: set[bytes] = set()
    words: Counter[str] = Counter()
    kept: list[str] = []
    with source.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            text = unicodedata.normalize("NFC", json.loads(line)["text"])
            digest = hashlib.md5(text.encode()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            sketch = MinHash(num_perm=64)
            sketch.update_batch([text[place : place + 5].encode() for place in range(max(1, len(text) - 4))])
            if index.query(sketch):
                continue
            index.insert(number, sketch)
            words.update(jieba.cut(text))
            kept.append(text)
    random.Random(0).shuffle(kept)
    first, second = int(len(kept) * 0.9), int(len(kept) * 0.95)
    parts = {"train": kept[:first], "val": kept[first:second], "test": kept[second:]}
    letters = Counter("".join(parts["train"]))
    numbers = {letter: place + 2 for place, (letter, _) in enumerate(letters.most_common())}
    out.mkdir(parents=True, exist_ok=True)
    for part, texts in parts.items():
        ids: list[int] = []
        for text in texts:
            ids += [numbers.get(letter, 1) for letter in text]
            ids.append(0)
        np.array(ids, np.uint16).tofile(out / f"{part}.bin")
    (out / "words.txt").write_text("\n".join(f"{word}\t{count}" for word, count in words.most_common(50_000)), "utf-8")
    print(json.dumps({"seconds": time.perf_counter() - start, "documents": len(kept)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
