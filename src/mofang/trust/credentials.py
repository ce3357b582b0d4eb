"""Content credentials: a signed manifest in every file that can hold one (C2PA 2.2), beside it otherwise."""

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mofang import __version__
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError
from mofang.trust.keys import Keys

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Digital source types must be given as full URIs (IPTC NewsCodes)."""

Nature = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia", "compositeSynthetic",
                 "algorithmicallyEnhanced", "digitalCreation"]  # fmt: skip

PERSONAL = ("algorithmicallyEnhanced", "digitalCreation")
"""Natures of what a person made: words of their own set in type, a photograph of theirs repaired. Nothing in it was
generated, so GB 45438 asks for no label; the signature still says what it is."""

USES = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining", "cawg.ai_inference")


@dataclass(frozen=True)
class Part:
    """One asset that went into a piece: its SHA-256, what it is, and the engine, model and recipe that made it."""

    asset: str
    kind: str
    engine: str
    model: str
    recipe: str


@dataclass(frozen=True)
class Claim:
    """What a published file says of itself.

    `nature` is the IPTC digital source type: made by a trained model, composed with things made by one or by an
    algorithm, by an algorithm alone; or, without an AI label, a person's own thing (`PERSONAL`). `training` is whether
    others may train on it. `facts` are further JSON values for the lineage.
    `producer` is the name on the AIGC label: printable ASCII without spaces.
    """

    title: str
    nature: Nature = "trainedAlgorithmicMedia"
    lang: str = "en"
    author: str = ""
    parts: Sequence[Part] = ()
    credits: Sequence[Credit] = ()
    training: Literal["notAllowed", "constrained", "allowed"] = "notAllowed"
    facts: Mapping[str, Any] = field(default_factory=dict)
    producer: str = "Mofang"


def manifest(claim: Claim, lineage: Mapping[str, Any]) -> str:
    """The C2PA manifest (JSON): created how, from which parts, and whether it may be trained on."""
    agent = {"name": "Mofang", "version": __version__}
    created = {"action": "c2pa.created", "digitalSourceType": IPTC + claim.nature, "softwareAgent": agent}
    told = {
        **claim.facts, **lineage, "author": claim.author,
        "parts": [{"asset": p.asset, "kind": p.kind, "engine": p.engine, "model": p.model, "recipe": p.recipe}
                  for p in claim.parts],
        "credits": [credit.to_json() for credit in claim.credits],
    }  # fmt: skip
    whole = {
        "claim_generator_info": [agent],
        "title": claim.title[:200],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": "cawg.training-mining", "data": {"entries": {name: {"use": claim.training} for name in USES}}},
            {"label": "org.mofang.lineage", "data": told},
        ],
    }
    # A lone surrogate in a title is no reason not to sign.
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace").decode()


def _context(authority: bytes = b"") -> Any:
    import c2pa

    settings: dict[str, Any] = {
        # Thumbnails cost hundreds of kilobytes; offline means offline.
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    if authority:
        settings["trust"] = {"user_anchors": authority.decode()}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def sign(source: Path, target: Path, mime: str, manifest: str, keys: Keys, embed: bool = True) -> None:
    """Copy `source` to `target` with the manifest embedded, or write the manifest alone to `target`.

    Raises `UserError` if it cannot be signed.
    """
    import c2pa

    try:
        info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=keys.chain, private_key=keys.private, ta_url=None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest, context=_context()) as builder,
            source.open("rb") as original,
            target.open("w+b") as signed,
        ):
            if embed:
                builder.sign(signer, mime, original, signed)
            else:
                builder.set_no_embed()
                signed.write(builder.sign(signer, mime, original, io.BytesIO()))
    except c2pa.C2paError as error:
        if shutil.disk_usage(target.parent).free < source.stat().st_size:  # The signer does not say why it could not write.
            raise UserError(f"there is no room left to sign {source.name}; free some space and run it again") from error
        raise UserError(f"{source.name} cannot be signed ({error}); make it anew, and report this if it stays") from error


@dataclass(frozen=True)
class Credentials:
    """What a file's manifest says. `state` is Trusted (this studio), Valid (somebody's) or Invalid; `why` if invalid."""

    state: str
    title: str = ""
    generator: str = ""
    nature: str = ""
    signer: str = ""
    lineage: Mapping[str, Any] = field(default_factory=dict)
    training: str = ""
    why: str = ""


def read(path: Path, mime: str, authority: bytes = b"", detached: bytes | None = None) -> Credentials | None:
    """The file's active manifest, embedded or `detached`, checked; None if it has none.

    What a file contains may make this raise any `Exception`: the manifest's shape is whatever its writer wished.
    """
    import c2pa

    try:
        with path.open("rb") as file, c2pa.Reader(mime, file, detached, context=_context(authority)) as reader:
            store = json.loads(reader.json())
            state = str(reader.get_validation_state())
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error) or "no JUMBF" in str(error):
            return None
        return Credentials("Invalid", why=str(error)[:120])
    active = store["manifests"][store["active_manifest"]]
    found = {entry["label"].partition("__")[0]: entry.get("data", {}) for entry in active.get("assertions", [])}
    actions = found.get("c2pa.actions.v2", found.get("c2pa.actions", {})).get("actions", [{}])
    generators = active.get("claim_generator_info") or [{}]
    failures = [item.get("code", "") for item in store.get("validation_status", [])]
    use: dict[str, str] = next(iter(found.get("cawg.training-mining", {}).get("entries", {}).values()), {})
    return Credentials(
        state, active.get("title", "") or "", f"{generators[0].get('name', '')} {generators[0].get('version', '')}".strip(),
        actions[0].get("digitalSourceType", "").removeprefix(IPTC), (active.get("signature_info") or {}).get("issuer", ""),
        found.get("org.mofang.lineage", {}), use.get("use", ""),
        ", ".join(code for code in failures if "untrusted" not in code))  # fmt: skip
