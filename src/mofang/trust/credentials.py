"""Content credentials: a signed manifest in every file that can hold one (C2PA 2.2), by the studio's own certificate."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from mofang import __version__
from mofang.studio.atomic import write_atomic
from mofang.studio.credit import Credit
from mofang.studio.errors import UserError

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Digital source types must be given as full URIs (IPTC NewsCodes)."""

Nature = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"]


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
    """What a published file says of itself."""

    title: str
    nature: Nature = "trainedAlgorithmicMedia"
    lang: str = "en"
    author: str = ""
    parts: Sequence[Part] = ()
    credits: Sequence[Credit] = ()
    training: Literal["notAllowed", "constrained", "allowed"] = "notAllowed"
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Keys:
    """The studio's signing key and certificate chain (PEM), and the authority that makes them ours."""

    chain: bytes
    private: bytes
    authority: bytes


def keys(studio: Path) -> Keys:
    """The studio's keys, made on first use in `keys/`: an authority of ten years and a signing certificate of five.

    Raises `UserError` if they are there and cannot be used; they are never replaced silently, since what was signed
    with them would lose its proof.
    """
    folder = studio / "keys"
    paths = folder / "chain.pem", folder / "private.pem", folder / "authority.pem"
    if not any(path.exists() for path in paths):
        _make(folder)
    try:
        found = Keys(*(path.read_bytes() for path in paths))
        _check(found, folder)
    except (OSError, ValueError) as error:
        raise UserError(f"the signing keys in {folder} cannot be used ({error}); put back a backup of the folder, or move "
                        "it away to sign with new keys from now on") from error  # fmt: skip
    return found


def _check(found: Keys, folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate = x509.load_pem_x509_certificates(found.chain)[0]
    private: Any = load_pem_private_key(found.private, None)
    if private.public_key().public_numbers() != certificate.public_key().public_numbers():  # type: ignore[union-attr]
        raise ValueError("key and certificate do not belong together")
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        raise ValueError(f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        raise ValueError("the certificate is from the future: set this computer's clock")


def _make(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.now(UTC)
    if now.year < 2025:
        raise UserError("this computer's clock is wrong, and a certificate made now would be void; set the clock first")

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mofang studio"),
                          x509.NameAttribute(NameOID.COMMON_NAME, common)])  # fmt: skip

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, years: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Studio authority"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=365 * years))
        )  # fmt: skip

    def usage(sign: bool, certify: bool) -> x509.KeyUsage:
        return x509.KeyUsage(digital_signature=sign, key_cert_sign=certify, crl_sign=certify, content_commitment=False,
                             key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                             decipher_only=False)  # fmt: skip

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    authority = (
        certificate("Studio authority", root, 10)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(sign=False, certify=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    # E-mail protection is one of the purposes C2PA accepts of a claim signer (C2PA 2.2, 14.5.1).
    signer = (
        certificate("Studio", leaf, 5)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(sign=True, certify=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf.public_key()), critical=False)
        .add_extension(issuer, critical=False)
        .sign(root, hashes.SHA256())
    )
    private = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # The chain last: a kill in between leaves a folder that says it cannot be used, not one that half works.
    write_atomic(folder / "authority.pem", authority.public_bytes(Encoding.PEM))
    write_atomic(folder / "private.pem", private)
    os.chmod(folder / "private.pem", 0o600)  # noqa: PTH101
    pem = signer.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
    write_atomic(folder / "chain.pem", pem)


def manifest(claim: Claim, produce_id: str) -> dict[str, Any]:
    """The C2PA manifest of a claim: created by an algorithm, from which parts, and whether it may be trained on."""
    use = {"use": claim.training}
    lineage = {
        "produceId": produce_id, "author": claim.author,
        "parts": [{"asset": p.asset, "kind": p.kind, "engine": p.engine, "model": p.model, "recipe": p.recipe}
                  for p in claim.parts],
        "credits": [credit.to_json() for credit in claim.credits], **claim.facts,
    }  # fmt: skip
    entries = {f"cawg.{name}": use for name in
               ("ai_generative_training", "ai_training", "data_mining", "ai_inference")}  # fmt: skip
    return {
        "claim_generator_info": [{"name": "Mofang", "version": __version__}],
        "title": claim.title[:200],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [
                {"action": "c2pa.created", "digitalSourceType": IPTC + claim.nature,
                 "softwareAgent": {"name": "Mofang", "version": __version__}}]}},
            {"label": "cawg.training-mining", "data": {"entries": entries}},
            {"label": "org.mofang.lineage", "data": lineage},
        ],
    }  # fmt: skip


def _context(authority: bytes | None) -> Any:
    import c2pa

    settings: dict[str, Any] = {
        # Thumbnails cost hundreds of kilobytes; offline means offline.
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    if authority:
        settings["trust"] = {"user_anchors": authority.decode()}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def sign(source: Path, target: Path, mime: str, claim: Claim, produce_id: str, signing: Keys) -> None:
    """Copy `source` to `target` with the manifest embedded. Raises `UserError` if it cannot be signed."""
    import c2pa

    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=signing.chain, private_key=signing.private, ta_url=None)
    try:
        signer = c2pa.Signer.from_info(info)
        builder = c2pa.Builder(json.dumps(manifest(claim, produce_id)), context=_context(None))
        with source.open("rb") as original, target.open("w+b") as signed:
            builder.sign(signer, mime, original, signed)
    except c2pa.C2paError as error:
        raise UserError(f"{source.name} cannot be signed: {error}; nothing was published") from error


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


def read(path: Path, mime: str, authority: bytes | None) -> Credentials | None:
    """The file's active manifest, checked; None if it has none. Never raises for what a file contains."""
    import c2pa

    try:
        with path.open("rb") as file, c2pa.Reader(mime, file, context=_context(authority)) as reader:
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
