"""Define the style sheet of the page, for screens and paper, and its script, which filters and sorts."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #4b5563; --line: #c4cad2; --paper: #fff;
  --shade: #f4f6f8; --good: #14602f; --bad: #a4161a; --open: #7a4b00; --link: #0b4f9e; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #aab3bf; --line: #424b57;
  --paper: #14181d; --shade: #1e242b; --good: #6fcf8f; --bad: #ff8f8a; --open: #f0b35b; --link: #8ab8ff; } }
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-bottom: .25rem;
  border-bottom: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
h4 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
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
.good, .yes { color: var(--good); } .bad, .no { color: var(--bad); }
.open, .maybe { color: var(--open); } .soft { color: var(--soft); }
.yes::before { content: "✓ " / ""; } .no::before { content: "✗ " / ""; }
.maybe::before { content: "? " / ""; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border: 1px solid var(--line);
  overflow-wrap: break-word; }
td p { margin: .25rem 0 0; } td p:first-child { margin: 0; }
thead th { background: var(--shade); }
tbody th { font-weight: 600; }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0 1.5rem; }
.three h2 { font-size: 1rem; margin: .5rem 0 .25rem; border: 0; padding: 0; }
.three ul, .lines { margin: 0; padding-left: 1.1rem; }
.lines li { max-width: none; }
i { font-style: normal; color: var(--soft); }
td b { white-space: nowrap; }
tr.file th { background: var(--shade); font-weight: 400; }
#controls:not([hidden]) { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
#controls label { display: grid; color: var(--soft); font-size: .9rem; max-width: min(20rem, 100%); }
#controls p { margin: 0; flex-basis: 100%; font-weight: 600; }
select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft);
  border-radius: .25rem; padding: .3rem; min-width: 8rem; max-width: 100%; }
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
  .table .wide { min-width: 44rem; } .wide tbody th[scope=row] { min-width: 9rem; }
  .table #buckets { min-width: 0; font-size: .8rem; } #buckets tbody th[scope=row] { min-width: 4.5rem; }
  #buckets :is(th, td) { padding: .3rem .35rem; overflow-wrap: break-word; }
  #buckets td:nth-child(3) { min-width: 6.5rem; } #buckets td:nth-child(4) { overflow-wrap: anywhere; }
  #buckets b { white-space: normal; } }
@media print {
  @page { margin: 18mm 15mm; }
  html { font-size: 10pt; } body { max-width: none; padding: 0; }
  nav, .skip, #controls label { display: none; }
  a { color: inherit; text-decoration: none; }
  a[href^="http"]::after { content: " <" attr(href) ">"; font-size: .85em; }
  .table { overflow: visible; } .table table { width: calc(100% - 1px); }
  h2, h3, h4, dt, caption { break-after: avoid; }
  tr, dd, pre, article, .sign, .outcome, .three div { break-inside: avoid; }
  .group h3, .group h3 + p, tr.file { break-after: avoid; }
  .three { grid-template-columns: repeat(3, 1fr); }
  thead { display: table-header-group; }
  pre, b, .outcome { print-color-adjust: exact; }
}
""".strip()
"""The style sheet of the page; it loads nothing."""


SCRIPT = """
(() => {
  const table = document.getElementById("buckets");
  if (!table) return;
  const control = name => document.getElementById("by-" + name);
  const names = ["verdict", "file", "reason"];
  const rows = [];
  for (const body of table.tBodies) {
    const [head, ...own] = body.rows;
    own.forEach(row => rows.push({
      row, body, file: head.textContent, bucket: row.cells[0].textContent,
      verdict: row.cells[1].textContent, place: row.cells[3].textContent,
      reason: (row.cells[2].querySelector("p") || row.cells[2]).textContent,
      card: document.getElementById((row.querySelector("a") || {hash: ""}).hash.slice(1)),
    }));
  }
  const option = (select, value, text) => select.add(new Option(text, value));
  for (const name of names) {
    const counts = new Map();
    rows.forEach(one => counts.set(one[name], (counts.get(one[name]) || 0) + 1));
    option(control(name), "", "all");
    [...counts].sort((a, b) => b[1] - a[1]).forEach(([value, number]) =>
      option(control(name), value, value.slice(0, 80) + " (" + number + ")"));
  }
  for (const key of ["file", "bucket", "verdict", "reason"]) option(control("sort"), key, key);
  const sorted = document.createElement("tbody");
  table.append(sorted);
  const apply = () => {
    const key = control("sort").value, flat = key !== "file";
    let shown = 0;
    const order = flat ? [...rows].sort((a, b) => a[key].localeCompare(b[key], "en", {numeric: true})) : rows;
    for (const one of order) {
      const match = names.every(name => ["", one[name]].includes(control(name).value));
      one.row.hidden = !match;
      if (one.card) one.card.hidden = !match;
      shown += match;
      (flat ? sorted : one.body).append(one.row);
      one.row.cells[3].textContent = (flat ? one.file + " " : "") + one.place;
    }
    for (const body of table.tBodies)
      if (body !== sorted) body.hidden = flat || ![...body.rows].slice(1).some(row => !row.hidden);
    for (const group of document.querySelectorAll(".group"))
      group.hidden = ![...group.querySelectorAll("article")].some(card => !card.hidden);
    document.getElementById("shown").textContent =
      shown === rows.length ? "" : "Filtered: " + shown + " of " + rows.length + " buckets are shown.";
  };
  [...names, "sort"].forEach(name => control(name).addEventListener("change", apply));
  document.getElementById("controls").hidden = false;
})();
""".strip()
"""The script of the page; it loads nothing and stores nothing."""
