"""An evaluation in words."""

from collections.abc import Iterator, Mapping

from mofang.studio.recipe import Json
from mofang.studio.words import say

SHOWN = 3
"""Passages shown of each kind."""


def summary(found: Mapping[str, Json]) -> list[str]:
    """Lines for the terminal: what was measured, what it is compared with, and what follows."""
    return [*_quality(found), *_variety(found), *_copies(found), *_canaries(found), *_unwritten(found)]


def _quality(found: Mapping[str, Json]) -> Iterator[str]:
    if "bits_per_byte" not in found:
        yield say(f"bits per byte: not measured; {found.get('no_corpus', '')}", f"每字节比特：未测；{found.get('no_corpus', '')}")
        return
    part = {"train": say("the TRAINING text, for want of any other: no measure of what it learned",
                         "训练文本（没有留出文本，不能说明学到了什么）"),
            "val": say("validation text", "验证文本"), "test": say("test text", "测试文本")}[found["split"]]  # fmt: skip
    yield say(
        f"{found['bits_per_byte']:.3f} bits per byte, {found['bits_per_character']:.3f} per character, perplexity "
        f"{found['perplexity']:.2f} per token",
        f"每字节 {found['bits_per_byte']:.3f} 比特，每字 {found['bits_per_character']:.3f} 比特，"
        f"每词元困惑度 {found['perplexity']:.2f}",
    )
    yield say(f"  (bare token frequencies or chance: {found['frequencies_bits_per_byte']:.3f} bits per byte)",
              f"  （仅凭词元频率或瞎猜：每字节 {found['frequencies_bits_per_byte']:.3f} 比特）")  # fmt: skip
    yield say(f"  over {found['bytes']:,} bytes of {part}, windows of {found['window']} tokens every {found['stride']}",
              f"  取自 {found['bytes']:,} 字节{part}，窗口 {found['window']} 词元，步长 {found['stride']}")  # fmt: skip
    if found["unknown"]:
        yield say(f"  {found['unknown']:.2%} of the tokens are characters it does not know; what they are was not paid for",
                  f"  {found['unknown']:.2%} 的词元是它不认识的字，具体是什么字未计入比特")  # fmt: skip


def _variety(found: Mapping[str, Json]) -> Iterator[str]:
    one, two, three = found["distinct"]
    yield say(
        f"{found['samples']} samples: distinct-1/2/3 {one:.2f}/{two:.2f}/{three:.2f}, repeated 4-grams {found['repeated']:.1%}, "
        f"stuck in a loop {found['looping']:.0%}, equal to another {found['twins']:.0%}",
        f"{found['samples']} 份样本：distinct-1/2/3 {one:.2f}/{two:.2f}/{three:.2f}，重复四元组 {found['repeated']:.1%}，"
        f"陷入循环 {found['looping']:.0%}，互相雷同 {found['twins']:.0%}",
    )


def _copies(found: Mapping[str, Json]) -> Iterator[str]:
    copying = found.get("copying")
    if copying is None:
        yield say("copying: not measured; the works are not here, and no fingerprint of them is beside the weights",
                  "抄袭：未测；作品不在本机，权重旁也没有作品指纹")  # fmt: skip
        return
    least = copying["least"]
    unit = say(f"spans of {least} letters or more", f"连续 {least} 字以上") if least else say("whole lines", "整句")
    floor = copying.get("floor")
    beside = say(f"; held-out text of the same lengths: {floor['share']:.1%}, longest {floor['longest']}",
                 f"；等长的留出文本为 {floor['share']:.1%}，最长 {floor['longest']}") if floor else ""  # fmt: skip
    yield say(f"copied from the works ({unit}): {copying['share']:.1%}, longest {copying['longest']} letters{beside}",
              f"与作品相同（{unit}）：{copying['share']:.1%}，最长 {copying['longest']} 字{beside}")  # fmt: skip
    for span in copying["spans"][:SHOWN]:
        place = span["place"]
        where = say(f", document {place['document']} at {place['offset']}",
                    f"，第 {place['document']} 篇第 {place['offset']} 字起") if place else ""  # fmt: skip
        yield f"  {_flat(span['text'])}{where}"
    if recall := copying.get("recall"):
        ours, theirs = recall["train"], recall["held_out"]
        yield say(
            f"ends training texts exactly: {ours['exact']:.0%} of {ours['texts']}, held-out texts: {theirs['exact']:.0%}; right "
            f"tokens before the first error: {ours['prefix']:.1f} and {theirs['prefix']:.1f}",
            f"能一字不差续完训练文本：{ours['texts']} 篇中 {ours['exact']:.0%}；留出文本：{theirs['exact']:.0%}；"
            f"首个错误前的词元数：{ours['prefix']:.1f} 与 {theirs['prefix']:.1f}",
        )
    if near := found.get("nearest"):
        floor_ = say(f" (held-out text: {near['floor']:.2f})", f"（留出文本 {near['floor']:.2f}）") if "floor" in near else ""
        yield say(f"likeness to the nearest passage: {near['mean']:.2f} on average{floor_}",
                  f"与最相近段落的平均相似度：{near['mean']:.2f}{floor_}")  # fmt: skip
        for each in list({each["text"]: each for each in near["passages"]}.values())[:SHOWN]:
            sample = found["texts"][each["sample"]] if "texts" in found else ""
            yield f"  {each['similarity']:.2f}  {_flat(sample, 40)}  ↔  {_flat(each['text'], 40)}"
    yield _verdict(copying["verdict"])


def _verdict(name: str) -> str:
    return {
        "learned": say("verdict: LEARNED. It copies no more than real text of this kind does.",
                       "结论：学会了。与作品相同之处不比真实文本多。"),
        "little": say("verdict: LITTLE LEARNED. It copies nothing, but bare token frequencies foretell nearly as well: train on.",
                      "结论：还没学会。没有抄，但预测不比词元频率强多少；请继续训练。"),
        "leaning": say("verdict: LEANING. It copies more than real text does; more works, a smaller model or fewer steps would help.",
                       "结论：依赖原作。与作品相同之处多于真实文本；宜增加作品、缩小模型或减少步数。"),
        "copied": say("verdict: COPIED. It recites its works; do not pass its texts off as new.",
                      "结论：在背诵原作；不要把它写的当作新作。"),
        "unknown": say("verdict: UNKNOWN. That takes held-out text, ten samples, and the works its card names.",
                       "结论：无法判断。需要留出文本、十份样本，以及模型卡所记的作品。"),
    }[name]  # fmt: skip


def _canaries(found: Mapping[str, Json]) -> Iterator[str]:
    for each in found.get("canaries", ()):
        least = each["rank"] == 1 and not each["exact"]
        bits = (say("at least ", "至少 ") if least else "") + f"{each['bits']:.1f}"
        yield say(f"canary '{each['canary']}': rank {each['rank']} of {each['compared'] + 1}, exposure {bits} bits (1 is chance)"
                  + ("; it says the secret by itself" if each["said"] else ""),
                  f"金丝雀“{each['canary']}”：{each['compared'] + 1} 个中排第 {each['rank']}，"
                  f"暴露度 {bits} 比特（1 为碰巧）" + ("；它会自己说出这个秘密" if each["said"] else ""))  # fmt: skip


def _unwritten(found: Mapping[str, Json]) -> Iterator[str]:
    if "not_written" in found:
        yield say(f"the card was not changed: {found['not_written']}", f"模型卡未更新：{found['not_written']}")


def _flat(text: str, most: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
