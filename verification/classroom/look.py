"""How the page of a class looks, and how its table is sorted: it has both in itself, and asks for nothing from elsewhere."""

STYLE = r"""
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --soft: #f1f1ee; --line: #8a8a85; --quiet: #55554f;
  --right: #14602c; --wrong: #a31616; --open: #6b4a00; --link: #0b4fa8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e4; --paper: #16181a; --soft: #24272a; --line: #7d8288;
  --quiet: #b3b6b9; --right: #79d195; --wrong: #ff9a92; --open: #f0c46a; --link: #8fbcff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 .75rem; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { padding: 0 .6rem 0 0; white-space: nowrap; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: .4rem 0; cursor: pointer; }
th button::after { content: "\2195"; content: "\2195" / ""; color: var(--quiet); padding-left: .3em; }
th[aria-sort=ascending] button::after { content: "\2191"; content: "\2191" / ""; color: inherit; }
th[aria-sort=descending] button::after { content: "\2193"; content: "\2193" / ""; color: inherit; }
td.name { min-width: 12rem; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.verdict, .verdict { white-space: nowrap; font-weight: 600; }
.right { color: var(--right); } .wrong { color: var(--wrong); } .open { color: var(--open); }
article { border-top: 1px solid var(--line); padding: 1rem 0; }
article:target { background: var(--soft); outline: .5rem solid var(--soft); }
pre { font: .85rem/1.4 ui-monospace, monospace; background: var(--soft); padding: .6rem; margin: .5rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .3rem 0; }
@media (max-width: 44rem) {
  table, thead, tbody, tr, td { display: block; }
  thead tr { display: flex; flex-wrap: wrap; gap: 0 1rem; border-bottom: 1px solid var(--line); }
  th { border: 0; }
  tbody tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
  td { border: 0; padding: .05rem 0; }
  td.name { min-width: 0; }
  td:not(:empty)::before { content: attr(data-label) ": "; color: var(--quiet); font-weight: 400; }
  td:empty { display: none; }
}
@media print { article { break-inside: avoid; } th button::after { content: none; } }
"""

# A button's click is Enter's and the space bar's, too. Sorting is stable, so that the order before decides between equals.
SCRIPT = """
const body = document.querySelector("tbody");
const heads = [...document.querySelectorAll("thead th")];
const order = new Intl.Collator(undefined, {numeric: true}).compare;
heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const key = row => row.cells[column].dataset.key;
  const rows = [...body.rows].sort((one, other) => sign * order(key(one), key(other)));
  heads.forEach(each => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  body.append(...rows);
}));
"""
