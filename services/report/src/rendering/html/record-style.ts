/** The record's style: for screens, light or dark as the reader's system says, and for paper. */
export const recordStyle = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2024; --soft: #5d6670; --line: #d9dee3; --shade: #f5f7f9;
  --accent: #2456a6; --band: #2456a626; --good: #146c43; --bad: #b02a37; --open: #8a5a00; --mark: #b0480e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e4e7ea; --soft: #a0a9b2; --line: #343b42; --shade: #1d2226;
    --accent: #8ab4f8; --band: #8ab4f833; --good: #6fcf97; --bad: #ff8a8a; --open: #e6b455; --mark: #ffab70;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Noto Sans CJK SC", sans-serif; }
.page { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 1.25rem; }
h2.chapter { font-size: 1.55rem; line-height: 1.25; letter-spacing: -0.015em; margin: 4.5rem 0 0; padding-bottom: 0.5rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.2rem; letter-spacing: -0.01em; margin: 2.5rem 0 0; display: flex; align-items: baseline; gap: 0.6rem; flex-wrap: wrap; }
h4 { font-size: 0.95rem; margin: 1.5rem 0 0.35rem; }
.words h4 { color: var(--soft); font-size: 0.875rem; margin-top: 0.9rem; }
section { scroll-margin-top: 1rem; }
p { margin: 0.4rem 0 1rem; max-width: 46rem; }
a { color: var(--accent); }
.source { color: var(--soft); font-size: 0.875rem; margin-top: 0.15rem; }
.legend { color: var(--soft); font-size: 0.875rem; margin: 1.25rem 0 0; }
ul.legend { list-style: none; padding: 0; margin: 0.35rem 0 0; display: flex; flex-wrap: wrap; gap: 0.35rem 1.5rem; }
.origin { font-size: 0.7rem; font-weight: 600; letter-spacing: 0.04em; border: 1px solid var(--line); border-radius: 1rem; padding: 0.1rem 0.55rem; color: var(--soft); white-space: nowrap; }
.origin.given { border-style: solid; } .origin.measured { border-style: dashed; } .origin.generated { border-style: dotted; }
dl { margin: 0; }
dt { color: var(--soft); font-size: 0.875rem; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 0.9rem 1.5rem; padding: 1.1rem 1.25rem; background: var(--shade); border-radius: 0.6rem; }
.facts { margin: 0.75rem 0 1.25rem; border-top: 1px solid var(--line); }
.facts > div { display: grid; grid-template-columns: minmax(9rem, 20rem) 1fr; gap: 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
nav { columns: 4 12rem; column-gap: 1.5rem; margin: 2rem 0 0; font-size: 0.9rem; }
nav div { break-inside: avoid; padding-bottom: 0.9rem; }
nav p { margin: 0; font-weight: 600; }
nav ol { list-style: none; padding: 0; margin: 0; }
nav li { line-height: 1.7; }
.table { overflow-x: auto; margin: 0.75rem 0 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.42rem 0.9rem 0.42rem 0; border-bottom: 1px solid var(--line); white-space: pre-line; overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; font-size: 0.8rem; white-space: normal; }
td:first-child:not(.number) { min-width: 7em; }
.short { white-space: nowrap; } .long { overflow-wrap: anywhere; }
td code.long { display: inline-block; min-width: 16ch; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.number { white-space: normal; }
dd, td { font-variant-numeric: tabular-nums; }
code, pre { font: 0.85em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, monospace; }
pre { background: var(--shade); padding: 1rem; border-radius: 0.5rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
blockquote { margin: 0; padding: 0.1rem 0 0.1rem 1rem; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; max-width: 46rem; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.open { color: var(--open); font-weight: 600; } .quiet { color: var(--soft); }
s { color: var(--soft); }
.statements { list-style: none; padding: 0; margin: 0.75rem 0 1.25rem; }
.statements li { padding: 0.55rem 0; border-bottom: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
.statements .source { margin: 0.15rem 0 0; max-width: none; white-space: normal; }
.statements input { margin: 0 0.4rem 0 0; width: 1rem; height: 1rem; vertical-align: -0.15rem; accent-color: var(--good); }
.sample { border: 1px solid var(--line); border-radius: 0.6rem; padding: 0.25rem 1.25rem 0.5rem; margin: 1rem 0; }
.sample h4 { margin-top: 0.75rem; }
.sample dl { display: grid; grid-template-columns: 6rem 1fr; gap: 0.5rem 1rem; margin: 0.6rem 0; }
.sample dd { white-space: pre-wrap; }
figure { margin: 1.25rem 0; }
figcaption { color: var(--soft); font-size: 0.85rem; margin-top: 0.4rem; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 13px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.x { text-anchor: middle; } .y { text-anchor: end; dominant-baseline: middle; } .name { text-anchor: start; }
.note { text-anchor: end; font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.note.right { text-anchor: start; }
.epoch { stroke: var(--soft); stroke-dasharray: 5 5; opacity: 0.7; }
.target { stroke: var(--good); stroke-dasharray: 2 4; stroke-width: 1.5; }
.overlay { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round; } .key { white-space: nowrap; margin-right: 1rem; } .key svg { width: 2rem; height: 0.5rem; display: inline-block; }
.band { fill: var(--band); } .mean { fill: none; stroke: var(--accent); stroke-width: 1.75; stroke-linejoin: round; }
.calibration { max-width: 34rem; } .bar { fill: var(--band); stroke: var(--accent); }
.evaluation { fill: var(--paper); stroke: var(--mark); stroke-width: 2; }
.warning { fill: var(--open); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 40rem) {
  .summary { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
  nav { columns: 2 8rem; }
  figure { overflow-x: auto; } figure > svg { min-width: 36rem; }
  ul { padding-left: 1.25rem; }
  .facts > div { grid-template-columns: 1fr; gap: 0; }
  .sample dl { grid-template-columns: 1fr; gap: 0; } .sample dd { margin-bottom: 0.6rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --shade: #fff; --accent: #123f8c; --band: #123f8c26; --good: #0b4d2f; --bad: #8c1c27; --open: #6b4600; --mark: #8c3a0b; }
  body { font-size: 10pt; } .page { max-width: none; padding: 0; } nav { display: none; }
  h2.chapter { break-after: avoid; margin-top: 2rem; } h3, h4 { break-after: avoid; } h3 { margin-top: 1.5rem; }
  tr, .sample, figure, .facts > div, .statements li { break-inside: avoid; } .table { overflow: visible; }
  .summary { border: 1px solid var(--line); }
  table { font-size: 8.5pt; } th { font-size: 8pt; } th, td { padding-right: 0.5rem; } td code.short { white-space: normal; overflow-wrap: anywhere; }
}
`;
