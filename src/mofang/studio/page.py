"""Pages a person can keep: one HTML file that needs nothing else, readable by day and by night."""

from collections.abc import Sequence
from html import escape

from mofang.studio.words import language

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#23211e;--soft:#6d6961;--line:#dcd7cc;--mark:#3f6fb5;--wash:#efece4;
--good:#2e7d4f;--warn:#a86a12;--bad:#b3402e}
@media(prefers-color-scheme:dark){:root{--paper:#1b1a18;--ink:#e8e4da;--soft:#9d978b;--line:#3a3732;--mark:#7fa6dd;
--wash:#262421;--good:#74c294;--warn:#dfa850;--bad:#e58271}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:60rem;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI","PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line);
padding-bottom:.25rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}
table{border-collapse:collapse;margin:.4rem 0;max-width:100%}
th,td{text-align:left;vertical-align:top;padding:.22rem 1.1rem .22rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--wash);padding:.7rem .9rem;border-radius:6px;
font:inherit;margin:.3rem 0}
small,.soft{color:var(--soft)}q{quotes:none;background:var(--wash);border-radius:3px;padding:0 .25em;overflow-wrap:anywhere}
.verdict{padding:.7rem 1rem;border-left:4px solid var(--mark);background:var(--wash);border-radius:0 6px 6px 0}
.good,.learning{border-color:var(--good)}.warn,.overfits{border-color:var(--warn)}.bad,.diverged{border-color:var(--bad)}
.plot{display:inline-block;max-width:100%;margin:.3rem .4rem .3rem 0;vertical-align:top}svg{max-width:100%;height:auto}
.columns{display:flex;flex-wrap:wrap;gap:0 2.5rem;align-items:flex-start}
.bars td{padding:.08rem .6rem .08rem 0;border:0}.bars i{display:block;height:.8em;margin-top:.4em;background:var(--mark);
border-radius:2px;min-width:1px}.bars td:nth-child(2){width:13rem}
@media print{body{padding:0;max-width:none}}
"""


def page(title: str, body: str) -> str:
    """A whole HTML document around `body` (HTML). No scripts, no outside resources; the policy in it forbids both.

    Styled: headings, tables (`td.number` to the right), `pre`, `q`, `small`; `p.verdict` with `good`, `warn` or `bad` (or a run's
    `learning`, `overfits`, `diverged`);
    `.plot` around an `<svg>`; `.columns` beside one another.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        f'<!doctype html>\n<html lang="{language()}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str | int | float]]) -> str:
    """A table of text and numbers, all escaped; numbers stand to the right, integers with thousands."""

    def cell(value: str | int | float) -> str:
        if isinstance(value, str):
            return f"<td>{escape(value)}</td>"
        return (
            f'<td class="number">{value:,}</td>' if isinstance(value, int) else f'<td class="number">{value:,.4g}</td>'
        )

    heads = "".join(
        f"<th>{escape(name)}</th>"
        if not rows or isinstance(rows[0][column], str)
        else f'<th class="number">{escape(name)}</th>'
        for column, name in enumerate(head)
    )
    body = "".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{heads}</tr>' if any(head) else ''}{body}</table>"


def bars(rows: Sequence[tuple[str, int | float]]) -> str:
    """Names with bars as long as their numbers, from the first to the last."""
    most = max((value for _, value in rows), default=0) or 1
    lines = "".join(
        f'<tr><td>{escape(name)}</td><td><i style="width:{100 * value / most:.1f}%"></i></td>'
        f'<td class="number">{value:,}</td></tr>'
        for name, value in rows
    )
    return f'<table class="bars">{lines}</table>'
