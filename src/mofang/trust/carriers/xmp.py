"""The XMP packet that carries the record in pictures (TC260-PG-20259A: property `TC260:AIGC`)."""

import re
from xml.sax.saxutils import escape, unescape

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
QUOTES = {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}

# The record is escaped, so that it holds no "<": a pattern that stops there stays linear on hostile packets.
ELEMENT = re.compile(r"<([\w.-]+):AIGC>([^<]*)</\1:AIGC>")
ATTRIBUTE = re.compile(r"""\s([\w.-]+):AIGC=("([^"]*)"|'([^']*)')""")


OWN = re.compile(
    rf'<rdf:Description rdf:about="" xmlns:TC260="{re.escape(NAMESPACE)}">'
    r"<TC260:AIGC>[^<]*</TC260:AIGC></rdf:Description>"
)
"""A description as we write it, holding nothing else."""


def packet(record: str) -> bytes:
    """A packet with nothing but the record, as an element, so that its JSON needs no attribute quoting."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:TC260="{NAMESPACE}"><TC260:AIGC>{escape(record)}</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def records(xmp: bytes) -> list[str]:
    """Every AIGC property in a packet, as element or attribute, whatever its prefix."""
    text = xmp.decode("utf-8", "replace")
    found = [unescape(match[2], QUOTES) for match in ELEMENT.finditer(text)]
    found += [unescape(match[3] if match[3] is not None else match[4], QUOTES) for match in ATTRIBUTE.finditer(text)]
    return found


def merged(xmp: bytes | None, record: str) -> bytes:
    """The packet with exactly this record; what else an existing packet says stays."""
    if not xmp:
        return packet(record)
    text = ATTRIBUTE.sub("", ELEMENT.sub("", OWN.sub("", xmp.decode("utf-8", "replace"))))
    description = (
        f'<rdf:Description rdf:about="" xmlns:TC260="{NAMESPACE}"><TC260:AIGC>{escape(record)}</TC260:AIGC>'
        "</rdf:Description></rdf:RDF>"
    )
    place = text.rfind("</rdf:RDF>")
    if place < 0:
        return packet(record)
    return (text[:place] + description + text[place + len("</rdf:RDF>") :]).encode()
