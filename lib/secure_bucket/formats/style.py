"""How the page looks, on a screen and on paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #4b5563; --line: #c4cad2; --paper: #fff;
  --shade: #f4f6f8; --good: #14602f; --bad: #a4161a; --open: #7a4b00; --link: #0b4f9e; }
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem;
  border-bottom: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p, li, dd { max-width: 48rem; overflow-wrap: anywhere; }
a { color: var(--link); overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
code, pre { font: .875em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; margin: .5rem 0; padding: .5rem .75rem; background: var(--shade);
  border-left: 4px solid var(--bad); }
.outcome { font-size: 1.15rem; font-weight: 600; padding: .75rem 1rem; border: 2px solid;
  border-radius: .25rem; max-width: none; }
.good { color: var(--good); } .bad { color: var(--bad); }
.open { color: var(--open); } .soft { color: var(--soft); }
.verdict { font-weight: 700; white-space: nowrap; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border: 1px solid var(--line);
  overflow-wrap: break-word; }
td p { margin: .25rem 0 0; } td p:first-child { margin: 0; }
thead th { background: var(--shade); }
tbody th { font-weight: 600; }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: .25rem; padding: .5rem .9rem; }
.counts strong { display: block; font-size: 1.4rem; line-height: 1.2; }
article { border: 1px solid var(--line); border-radius: .25rem; padding: 1rem; margin: 1rem 0; }
article ul { padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: fit-content(14rem) minmax(0, 1fr); gap: .25rem 1rem;
  margin: .5rem 0; }
dt { font-weight: 600; overflow-wrap: anywhere; } dd { margin: 0; }
.sign { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2rem; margin-top: 3rem; max-width: none;
  list-style: none; padding: 0; }
.sign li { border-top: 1px solid var(--ink); padding-top: .25rem; }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; }
.table { overflow-x: auto; }
@media screen and (max-width: 48rem) { dl, .sign { grid-template-columns: minmax(0, 1fr); }
  body { padding: 1rem; }
  .table table { min-width: 44rem; } }
@media print {
  @page { margin: 18mm 15mm; }
  html { font-size: 10pt; } body { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  a { color: inherit; text-decoration: none; }
  a[href^="http"]::after { content: " <" attr(href) ">"; font-size: .85em; }
  .table { overflow: visible; } .table table { width: calc(100% - 1px); }
  h2, h3, dt, caption { break-after: avoid; }
  tr, dd, pre, .sign, .outcome, .counts { break-inside: avoid; }
  thead { display: table-header-group; }
  pre, .good, .bad, .open { print-color-adjust: exact; }
}
""".strip()
"""The style sheet of the page; it asks for nothing from outside."""
