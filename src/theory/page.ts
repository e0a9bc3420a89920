import { figureSvg } from './figure.js';
import { escapeHtml, htmlPage } from './html.js';
import type { Verified } from './verify.js';

const number = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '–';

/** Every claim with its verdicts and every figure, as one self-contained HTML page. */
export function verifyPage(
  verified: readonly Verified[],
  heading: { readonly backend: string; readonly preset: string; readonly sabotage: boolean },
): string {
  const groups = new Map<string, Verified[]>();
  for (const v of verified) groups.set(v.claim.id, [...(groups.get(v.claim.id) ?? []), v]);
  const green = [...groups.values()].filter((g) => g.every((v) => v.result.passed)).length;
  const mark = (passed: boolean) =>
    `<span class="verdict ${passed ? 'green' : 'red'}">${passed ? '✓ holds' : '✗ fails'}</span>`;
  const overview = [...groups.entries()]
    .map(([id, group]) => {
      const passed = group.every((v) => v.result.passed);
      return `<tr><td><a href="#${id}">${escapeHtml(group[0].claim.title)}</a></td><td>${mark(passed)}</td><td>${group.map((v) => number(v.result.measured)).join(' · ')}</td></tr>`;
    })
    .join('\n');
  const sections = [...groups.entries()].map(([id, group]) => {
    const { claim } = group[0];
    const rows = group
      .map(
        ({ result }) =>
          `<tr><td>${result.seed}</td><td>${mark(result.passed)}</td><td>${number(result.predicted)}</td><td>${number(result.measured)}${result.interval ? ` [${number(result.interval[0])}, ${number(result.interval[1])}]` : ''}</td><td>${result.seconds}</td><td>${escapeHtml(result.note)}</td></tr>`,
      )
      .join('\n');
    return `<section id="${id}">
<h2>${escapeHtml(claim.title)}</h2>
<p>${escapeHtml(claim.statement)}</p>
<p class="muted">${escapeHtml(claim.setting)} Bar: ${escapeHtml(claim.tolerance)}. Source: ${escapeHtml(claim.source)}.</p>
<table><thead><tr><th>seed</th><th>verdict</th><th>theory</th><th>measured</th><th>seconds</th><th>note</th></tr></thead><tbody>${rows}</tbody></table>
<div class="figures">${group[0].figures.map(figureSvg).join('\n')}</div>
</section>`;
  });
  return htmlPage(
    'Claims verified by Kernelscope',
    `<h1>${green} of ${groups.size} claims hold${heading.sabotage ? ' under planted faults' : ''}</h1>
<p class="muted">${escapeHtml(heading.preset)} preset, ${escapeHtml(heading.backend)} backend.</p>
<nav><table><thead><tr><th>claim</th><th>verdict</th><th>measured</th></tr></thead><tbody>${overview}</tbody></table></nav>
${sections.join('\n')}
`,
  );
}
