import { say } from '../../core/say.js';
import { figureSvg } from '../figure.js';
import { escapeHtml, htmlPage } from '../html.js';
import type { Reproduced } from './reproduce.js';
import type { ReferenceCheck } from './survey.js';

const number = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? '–' : String(Number(value.toPrecision(4)));

const verdict = (passed: boolean | null): string => {
  if (passed === null) return '<span class="muted">not judged</span>';
  return `<span class="verdict ${passed ? 'green' : 'red'}">${passed ? '✓ met' : '✗ missed'}</span>`;
};

/** A deviation as the bar means it: per cent of the published value, or points of accuracy. */
function deviationText({ deviation, tolerance }: ReferenceCheck): string {
  if (deviation === null) return '–';
  const sign = deviation >= 0 ? '+' : '−';
  const size = number(Math.abs(100 * deviation));
  return tolerance.includes('points') ? say`${sign}${size} points` : `${sign}${size} %`;
}

/** Every experiment with our curves beside the published values, as one self-contained HTML page. */
export function reproductionPage(reproduced: readonly Reproduced[]): string {
  const sections = reproduced.map(({ result, figures }) => {
    const rows = result.bars
      .map(
        (bar) =>
          `<tr><td>${escapeHtml(bar.name)}</td><td>${number(bar.measured)}</td><td>${number(bar.published)}</td><td>${deviationText(bar)}</td><td>${escapeHtml(bar.tolerance)}</td><td>${verdict(bar.passed)}</td></tr>`,
      )
      .join('\n');
    const partial = result.complete
      ? ''
      : '<p class="verdict red">Partial: the run was cut off; stages that are missing are not judged.</p>';
    return `<section id="${result.experiment}">
<h2>${escapeHtml(result.title)}</h2>
<p class="muted">${escapeHtml(result.setting)}</p>
<p>Published: ${escapeHtml(result.published)} (${escapeHtml(result.source)})</p>
${partial}
<table><thead><tr><th>number</th><th>ours</th><th>published</th><th>deviation</th><th>bar</th><th>verdict</th></tr></thead><tbody>${rows}</tbody></table>
<p>${escapeHtml(result.note)}</p>
<div class="figures">${figures.map(figureSvg).join('\n')}</div>
<p class="muted">Preset ${result.preset}, seed ${result.seed}, ${escapeHtml(result.backend)} backend, ${result.seconds} s${result.data.length > 0 ? `, data: ${escapeHtml(result.data.join(', '))}` : ''}.</p>
</section>`;
  });
  const overview = reproduced
    .map(({ result }) => {
      const judged = result.bars.filter((bar) => bar.passed !== null);
      const met = judged.filter((bar) => bar.passed).length;
      return `<tr><td><a href="#${result.experiment}">${escapeHtml(result.title)}</a></td><td>${verdict(result.passed)}</td><td>${met} of ${judged.length} bars</td></tr>`;
    })
    .join('\n');
  return htmlPage(
    "The authors' experiments, by Kernelscope",
    `<h1>The authors' experiments</h1>
<nav><table><thead><tr><th>experiment</th><th>verdict</th><th></th></tr></thead><tbody>${overview}</tbody></table></nav>
${sections.join('\n')}
`,
  );
}
