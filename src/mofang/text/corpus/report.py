"""The report on a corpus, for a person: what went in, what it is like, what was thrown away and why."""

from collections.abc import Mapping
from html import escape
from typing import Any

from mofang.studio.page import bars, page, table
from mofang.studio.words import say
from mofang.text.corpus.statistics import Statistics

_SHOWN = 40

REASONS = {
    "broken file": "无法读取的文件",
    "file of another kind": "其他类型的文件",
    "unreadable line": "无法读取的行",
    "markup left out": "略去的标记",
    "caption shown again": "重复显示的字幕",
    "chat notice": "聊天系统提示",
    "Project Gutenberg's licence": "古登堡计划声明",
    "page number": "页码与分页符",
    "running header": "页眉",
    "navigation line": "导航行",
    "line seen again and again": "多处重复的长行",
    "empty document": "空文档",
    "duplicate document": "重复文档",
    "near-duplicate document": "近似重复文档",
}
_PARTS = {"train": "训练", "val": "验证", "test": "测试"}
_LANGUAGES = {"zh": "中文", "en": "拉丁字母（英文等）", "ja": "日文"}


def language_name(name: str) -> str:
    """A language of the manifest in the reader's language."""
    english = {"zh": "Chinese", "en": "Latin letters (English …)", "ja": "Japanese"}
    return say(english.get(name, name), _LANGUAGES.get(name, name))


def summary(manifest: Mapping[str, Any]) -> list[str]:
    """A few lines for the terminal."""
    lines = []
    for part, counts in manifest["splits"].items():
        if counts["tokens"]:
            lines.append(
                say(
                    f"{part:5}  {counts['documents']:>9,} documents  {counts['characters']:>13,} characters"
                    f"  {counts['tokens']:>13,} tokens",
                    f"{_PARTS[part]}  {counts['documents']:>9,} 篇  {counts['characters']:>13,} 字符  {counts['tokens']:>13,} 词元",
                )
            )
    kind, size = manifest["options"]["vocabulary"]["kind"], manifest["options"]["vocabulary"]["size"]
    lines.append(say(f"vocabulary: {kind}, {size:,} tokens", f"词表：{kind}，{size:,} 个词元"))
    dropped = manifest["dropped"]
    if dropped:
        shown = say("; ", "；").join(
            f"{say(reason, REASONS.get(reason, reason))} {entry['count']:,}" for reason, entry in dropped.items()
        )
        lines.append(say("left out: ", "舍弃：") + shown)
    lines += [say("note: ", "提示：") + warning for warning in manifest["warnings"]]
    return lines


def text_report(manifest: Mapping[str, Any], figures: Statistics) -> str:
    """The report as plain text."""
    lines = [say("Corpus", "语料"), "", *summary(manifest), ""]
    lines.append(say("Languages", "语言") + ": " + ", ".join(
        f"{language_name(name)} {share:.1%}" for name, share in manifest["languages"].items()))  # fmt: skip
    lines.append(say(f"Words: {figures.words:,}, {figures.distinct:,} distinct, {figures.once:,} of them once",
                     f"词：{figures.words:,}，不同的 {figures.distinct:,} 个，其中只出现一次的 {figures.once:,} 个"))  # fmt: skip
    lines.append(say("Most frequent", "最常见") + ": " + ", ".join(f"{word} {count:,}" for word, count in figures.top))
    lines += ["", say("Repeated word sequences", "重复的词串")]
    lines += [f"  n={n}: {share:.1%}" for n, share in figures.repeats.items()]
    lines += [f"  {count:>6,}× {text}" for text, count in figures.repeated]
    lines += ["", say("Length of documents, characters", "文档长度（字符）")]
    lines += [f"  {name:>24} {count:,}" for name, count in figures.lengths]
    lines += ["", say("Left out, and why", "舍弃了什么，为什么")]
    if not manifest["dropped"]:
        lines.append("  " + say("Nothing.", "无。"))
    for reason, entry in manifest["dropped"].items():
        lines.append(f"  {say(reason, REASONS.get(reason, reason))}: {entry['count']:,} ({entry['characters']:,})")
        lines += [f"      {example}" for example in entry["examples"]]
    lines += ["", say("Works", "作品")]
    lines += [f"  {work['name']}  {work['licence'] or '?'}  {work['size']:,} B  {work['sha256'][:16]}"
              for work in manifest["works"][:_SHOWN]]  # fmt: skip
    if len(manifest["works"]) > _SHOWN:
        lines.append(f"  … {len(manifest['works']) - _SHOWN:,}")
    return "\n".join(lines) + "\n"


def html_report(title: str, manifest: Mapping[str, Any], figures: Statistics) -> str:
    """The report as one page that needs nothing else."""
    parts = [f'<p class="verdict warn">{escape(warning)}</p>' for warning in manifest["warnings"]]
    rows = [(say(part, _PARTS[part]), counts["documents"], counts["characters"], counts["tokens"], counts["bytes"])
            for part, counts in manifest["splits"].items()]  # fmt: skip
    heads = (
        say("split", "划分"),
        say("documents", "文档"),
        say("characters", "字符"),
        say("tokens", "词元"),
        say("bytes", "字节"),
    )
    parts.append(table(heads, rows))
    vocabulary = manifest["options"]["vocabulary"]
    train = manifest["splits"]["train"]
    ratio = train["characters"] / max(1, train["tokens"])
    parts.append("<p>" + escape(say(
        f"Vocabulary: {vocabulary['kind']}, {vocabulary['size']:,} tokens, {ratio:.2f} characters a token.",
        f"词表：{vocabulary['kind']}，{vocabulary['size']:,} 个词元，平均每个 {ratio:.2f} 字符。")) + "</p>")  # fmt: skip
    parts.append(_likeness(manifest, figures))
    parts.append(_left_out(manifest))
    parts.append(_works(manifest))
    return page(title, "\n".join(parts))


def _likeness(manifest: Mapping[str, Any], figures: Statistics) -> str:
    languages = [(language_name(name), round(100 * share, 1)) for name, share in manifest["languages"].items()]
    left = (
        _section("Languages, % of characters", "语言（字符占比 %）", bars(languages))
        + _section("Length of documents, characters", "文档长度（字符）", bars(figures.lengths))
        + _section("Word sequences that repeat, %", "重复的词串（%）", bars(
            [(say(f"{n} words", f"{n} 词"), round(100 * share, 1)) for n, share in figures.repeats.items()]))
    )  # fmt: skip
    right = _section("Most frequent words", "最常见的词", bars(figures.top[:30]))
    growth = _section(
        "How the vocabulary grows", "词汇如何增长",
        f"<p>{escape(_growth_words(figures))}</p>" + _growth_plot(figures),
    )  # fmt: skip
    repeated = "".join(f"<li>{count:,}× <q>{escape(text)}</q></li>" for text, count in figures.repeated)
    often = _section("What repeats most", "重复最多的词串", f"<ul>{repeated}</ul>") if repeated else ""
    return f'<div class="columns"><div>{left}</div><div>{right}</div></div>{growth}{often}'


def _growth_words(figures: Statistics) -> str:
    text = say(f"{figures.words:,} words, {figures.distinct:,} distinct, {figures.once:,} of them once.",
               f"共 {figures.words:,} 词，不同的 {figures.distinct:,} 个，其中只出现一次的 {figures.once:,} 个。")  # fmt: skip
    if figures.heaps == figures.heaps:
        text += say(f" Heaps' law: β = {figures.heaps:.2f} (prose: about 0.5 to 0.7; lower is repetitive).",
                    f"希普斯定律 β = {figures.heaps:.2f}（散文约 0.5 至 0.7，越低越重复）。")  # fmt: skip
    return text


def _growth_plot(figures: Statistics) -> str:
    from mofang.training.plot import Curve, plot

    read, known = [float(x) for x, _ in figures.growth], [float(y) for _, y in figures.growth]
    curve = Curve("", [0.0, *read], [0.0, *known])
    drawn = plot([curve], say("Distinct words met", "遇到的不同词数"), say("words and marks read", "读过的词与标点"))
    return f'<span class="plot">{drawn}</span>'


def _left_out(manifest: Mapping[str, Any]) -> str:
    if not manifest["dropped"]:
        return _section("Left out", "舍弃", f"<p>{say('Nothing.', '无。')}</p>")
    rows = "".join(
        f"<tr><td>{escape(say(reason, REASONS.get(reason, reason)))}</td><td class='number'>{entry['count']:,}</td>"
        f"<td class='number'>{entry['characters']:,}</td><td>"
        + "<br>".join(f"<q>{escape(example)}</q>" for example in entry["examples"])
        + "</td></tr>"
        for reason, entry in manifest["dropped"].items()
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in (
        say("why", "原因"), say("how many", "数量"), say("characters", "字符"), say("for example", "例如")))  # fmt: skip
    return _section("Left out, and why", "舍弃了什么，为什么", f"<table><tr>{head}</tr>{rows}</table>")


def _works(manifest: Mapping[str, Any]) -> str:
    works = manifest["works"]
    rows = [(work["name"], work["licence"] or "?", work["consent"] or "?", int(work["size"]), work["sha256"][:16])
            for work in works[:_SHOWN]]  # fmt: skip
    heads = (say("work", "作品"), say("licence", "许可"), say("consent", "授权"), say("bytes", "字节"), "SHA-256")
    more = f"<p>… {len(works) - _SHOWN:,}</p>" if len(works) > _SHOWN else ""
    return _section("Works", "作品", table(heads, rows) + more)


def _section(en: str, zh: str, body: str) -> str:
    return f"<h2>{escape(say(en, zh))}</h2>{body}"
