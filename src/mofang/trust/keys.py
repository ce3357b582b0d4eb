"""The studio's signing keys: an authority of its own, and a certificate that authority issued once.

C2PA refuses truly self-signed certificates, so there are two; the authority's private key is thrown away after use, and
nothing can ever be issued in the studio's name but what its folder holds.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mofang.studio.atomic import desk_for, sync_file, sync_folder
from mofang.studio.errors import UserError

# Without a time-stamping service (there is none offline) a signature is worth nothing once its certificate has ended.
YEARS = 30


@dataclass(frozen=True)
class Keys:
    """The signing key and certificate chain (PEM)."""

    chain: bytes
    private: bytes


def keys(studio: Path) -> Keys:
    """The studio's keys from its folder `keys/`, made on first use.

    Raises `UserError` if they are there and cannot be used. They are never replaced silently: what was signed with them
    would lose its proof. A folder moved away as `keys-…` goes on proving what was signed with it.
    """
    folder = studio / "keys"
    try:
        if not folder.exists():
            _make(studio, folder)
        found = Keys((folder / "chain.pem").read_bytes(), (folder / "private.pem").read_bytes())
        _check(found)
    except (OSError, ValueError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"the signing keys in {folder} cannot be used ({why}); put back a backup of that folder, or rename "
                        f"it to {folder.name}-old to sign with new keys from now on") from error  # fmt: skip
    return found


def authorities(studio: Path | None) -> bytes:
    """The certificates (PEM) whose signatures count as this studio's, of keys now and before; empty without any."""
    found = sorted(studio.glob("keys*/chain.pem")) if studio else []
    return b"".join(_last_certificate(path) for path in found)


def _last_certificate(path: Path) -> bytes:
    begin = b"-----BEGIN CERTIFICATE-----"
    try:
        text = path.read_bytes()
    except OSError:
        return b""
    return begin + text.rpartition(begin)[2] if text.count(begin) == 2 else b""


def _check(found: Keys) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate = x509.load_pem_x509_certificates(found.chain)[0]
    private = load_pem_private_key(found.private, None)
    if not isinstance(private, EllipticCurvePrivateKey) or private.public_key() != certificate.public_key():
        raise ValueError("key and certificate do not belong together")
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        raise ValueError(f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        raise ValueError("the certificate is from the future: set this computer's clock")


def _make(studio: Path, folder: Path) -> None:
    """Make the folder aside and rename it: a kill leaves all of it or nothing, and of two processes one wins."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    now = datetime.now(UTC)
    if now.year < 2025:
        raise UserError(f"this computer's clock says {now:%Y-%m-%d}, and a certificate made now would be void; set it first")
    certificates, private = _issue(now)
    with desk_for(folder) as desk:
        aside = desk / folder.name
        aside.mkdir(mode=0o700)  # For its owner alone.
        _write(aside / "private.pem", private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(aside / "chain.pem", b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        sync_folder(aside)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.exists():
                raise
        sync_folder(studio)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    sync_file(path)


def _issue(now: datetime) -> tuple[list[Any], Any]:
    """The certificates, signer first, and the signer's private key (ES256)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mofang studio"),
                          x509.NameAttribute(NameOID.COMMON_NAME, common)])  # fmt: skip

    def usage(sign: bool) -> x509.KeyUsage:
        return x509.KeyUsage(digital_signature=sign, key_cert_sign=not sign, crl_sign=not sign, content_commitment=False,
                             key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                             decipher_only=False)  # fmt: skip

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Studio authority"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            # A day back, for readers whose clock is slow.
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365 * YEARS))
            .add_extension(x509.BasicConstraints(ca=key is root, path_length=0 if key is root else None), critical=True)
            .add_extension(usage(sign=key is not root), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )  # fmt: skip

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate("Studio authority", root).sign(root, hashes.SHA256())
    # E-mail protection is one of the purposes C2PA accepts of a claim signer (C2PA 2.2, 14.5.1).
    signer = (
        certificate("Studio", leaf)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    return [signer, authority], leaf
