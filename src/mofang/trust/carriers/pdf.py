"""PDF: the key `/AIGC` in the document information dictionary (TC260-PG-20258A)."""

import io

from mofang.trust.carriers import Buffer, Malformed, Pieces


def read(data: Buffer) -> list[str]:
    """The record, if there is one."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            value = document.docinfo.get("/AIGC")
            return [] if value is None else [str(value)]
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError) as error:
        raise Malformed("the PDF cannot be read") from error


def write(data: Buffer, record: str) -> Pieces:
    """The same document with the key set."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            document.docinfo["/AIGC"] = pikepdf.String(record)
            out = io.BytesIO()
            document.save(out, deterministic_id=True)
            return [out.getvalue()]
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError) as error:
        raise Malformed("the PDF cannot be read") from error
