"""Hold the script of the page, which filters and sorts the table of buckets."""

from __future__ import annotations

__all__ = ["SCRIPT"]

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
