"""What was found on a file, and how to say it to a person."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mofang.trust.aigc import Record
from mofang.trust.credentials import PERSONAL, Credentials


@dataclass(frozen=True)
class Fault:
    """One thing that is broken, in both languages."""

    en: str
    zh: str


@dataclass
class Report:
    """The marks found on a file.

    `record` is the implicit AIGC label, `credentials` the signed manifest, `visible` whether the explicit label can be
    seen, heard or read (None where that was not looked for), `published` the time at which this studio's ledger has
    exactly this file. `declared` says that the maker signed for leaving the explicit label out.
    """

    path: Path
    kind: str = ""
    record: Record | None = None
    credentials: Credentials | None = None
    visible: bool | None = None
    declared: bool = False
    published: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def silent(self) -> bool:
        """Whether the file says nothing about itself: not broken, and not proven either."""
        return not (self.record or self.credentials or self.published or self.faults)

    @property
    def signed(self) -> bool:
        """Whether a signature over the whole file holds."""
        return self.credentials is not None and self.credentials.state in ("Valid", "Trusted")

    @property
    def personal(self) -> bool:
        """Whether a signature that holds says that a person made it: it needs no AI label."""
        made = self.credentials
        return self.signed and made is not None and made.nature in PERSONAL and self.record is None

    @property
    def generated(self) -> bool:
        """Whether the file says of itself that AI made it or a part of it: what is made of it must say so too."""
        said = self.credentials.nature if self.credentials else ""
        return bool(self.record) or (bool(said) and "lgorithmic" in said and said not in PERSONAL)

    @property
    def ok(self) -> bool:
        """Whether the file says how it was made and everything it says holds."""
        return not self.silent and not self.faults

    def lines(self, lang: str = "en") -> list[str]:
        """The report in plain words, English or ("zh") Chinese."""
        said = [self._nothing(), self._made(), self._parts(), self._signed(), self._label(), self._training(), self._ledger()]
        said += [(f"BROKEN: {fault.en}.", f"有问题：{fault.zh}。") for fault in self.faults]
        return [_plain(zh if lang == "zh" else en) for en, zh in filter(None, said)]

    def _nothing(self) -> tuple[str, str] | None:
        if not self.silent:
            return None
        return (f"{self.path.name} says nothing about how it was made.", f"{self.path.name} 没有说明自己是怎样制作的。")

    def _made(self) -> tuple[str, str] | None:
        if self.personal:
            return (f"{self.path.name} was made by a person; nothing in it was generated.",
                    f"{self.path.name} 由人创作，没有生成的内容。")  # fmt: skip
        if self.record is None:
            return None
        en, zh = {"1": ("was made with AI", "由人工智能生成"), "2": ("may have been made with AI", "可能由人工智能生成"),
                  "3": ("is suspected to be made with AI", "疑似由人工智能生成")}[self.record.label]  # fmt: skip
        lineage = self.credentials.lineage if self.credentials and self.signed else {}
        on = f" on {lineage['published']}" if lineage.get("published") else ""
        day = f"，时间 {lineage['published']}" if on else ""
        who, number = self.record.producer, self.record.produce_id
        return (f"{self.path.name} {en} by {who}{on}, number {number}.", f"{self.path.name} {zh}，制作者 {who}{day}，编号 {number}。")

    def _parts(self) -> tuple[str, str] | None:
        lineage: Any = self.credentials.lineage if self.credentials and self.signed else {}
        parts, credits = lineage.get("parts") or [], lineage.get("credits") or []
        en, zh = [], []
        if parts:
            engines = ", ".join(sorted({str(part.get("engine")) for part in parts}))
            en.append(f"Made from {len(parts)} assets by {engines}.")
            zh.append(f"由 {len(parts)} 件素材制成，引擎：{engines}。")
        if credits:
            works = "; ".join(sorted({f"{each.get('title')} ({each.get('licence')})" for each in credits}))
            en.append(f"With work by others: {works}.")
            zh.append(f"使用了他人作品：{works}。")
        return (" ".join(en), "".join(zh)) if en else None

    def _signed(self) -> tuple[str, str] | None:
        made = self.credentials
        if made is None or not self.signed:
            alone = self.record is not None and made is None and not self.faults
            return ("It is not signed: nothing proves this label.", "没有签名：无法证明该标识属实。") if alone else None
        name = made.signer or "?"
        who = (f"'{name}', of whom this studio knows nothing", f"“{name}”（本工作室无法担保其身份）")
        if made.state == "Trusted":
            who = ("this studio", "本工作室")
        return (f"The signature holds: by {who[0]}, with {made.generator}; nothing was changed since.",
                f"签名有效：{who[1]}，使用 {made.generator}；此后未被改动。")  # fmt: skip

    def _label(self) -> tuple[str, str] | None:
        if self.visible:
            return ("Its AI label can be seen, heard or read.", "显式标识可见、可听或可读。")
        if self.declared:
            return ("It was published without a label one can see, by its maker's choice: say that it was made with AI where "
                    "you post it.", "制作者选择不加显式标识：发布时请主动声明由人工智能生成。")  # fmt: skip
        return None

    def _training(self) -> tuple[str, str] | None:
        says = {"notAllowed": ("No one may train on it.", "不允许用于训练。"), "allowed": ("It may be trained on.", "允许用于训练。"),
                "constrained": ("It may be trained on under conditions.", "有条件地允许用于训练。")}  # fmt: skip
        return says.get(self.credentials.training) if self.credentials and self.signed else None

    def _ledger(self) -> tuple[str, str] | None:
        if not self.published:
            return None
        return (f"This studio's ledger has exactly this file, published {self.published}.",
                f"本工作室的台账中有这个文件，发布于 {self.published}，内容一致。")  # fmt: skip


def _plain(text: str) -> str:
    """One line without control characters: a title in a manifest must not drive the reader's terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
