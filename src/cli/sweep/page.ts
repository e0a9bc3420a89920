import { figureSvg } from '../../theory/figure.js';
import { escapeHtml, htmlPage } from '../../theory/html.js';
import { short } from '../io/options.js';
import { analyse, type CellResult } from './analyse.js';

/** The page of a sweep: slopes with the fits drawn, the phase diagram of two variables, every cell. */
export function sweepPage(title: string, cells: readonly CellResult[]): string {
  const { fits, figures } = analyse(cells);
  const slopes = fits
    .map(
      (f) =>
        `<tr><td>${escapeHtml(f.metric)}</td><td>${escapeHtml(f.variable)}</td><td>${f.slope.toFixed(3)}</td><td>[${f.interval[0].toFixed(2)}, ${f.interval[1].toFixed(2)}]</td></tr>`,
    )
    .join('');
  return htmlPage(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>${cells.length} runs. Seeds are joined by their median; the thin lines are the lowest and the highest seed.</p>
${fits.length > 0 ? `<h2>Fitted exponents</h2><table><thead><tr><th>metric</th><th>variable</th><th>slope on log axes</th><th>95 % interval</th></tr></thead><tbody>${slopes}</tbody></table>` : ''}
<div class="figures">${figures.map((figure) => `<figure>${figureSvg(figure)}</figure>`).join('\n')}</div>
${phaseDiagram(cells)}
<h2>Cells</h2>${cellTable(cells)}`,
  );
}

const regimeColors: Readonly<Record<string, string>> = {
  lazy: '#4f8fd0',
  'in between': '#b9a04a',
  rich: '#c9664f',
  undetermined: '#9a9a9a',
};

/** Regime over two variables, when exactly two beside the seed vary. */
function phaseDiagram(cells: readonly CellResult[]): string {
  const names = Object.keys(cells[0]?.values ?? {}).filter((n) => n !== 'seed' && !n.endsWith('.seed'));
  if (names.length !== 2) return '';
  const [rowName, columnName] = names;
  const values = (name: string) => [...new Set(cells.map((c) => c.values[name]))];
  const columns = values(columnName);
  const rows = values(rowName).map((row) => {
    const boxes = columns.map((column) => {
      const here = cells.filter((c) => c.values[rowName] === row && c.values[columnName] === column);
      const regime = here[0]?.regime ?? 'undetermined';
      const drift = here.map((c) => c.metrics['drift'] ?? Number.NaN).find(Number.isFinite);
      return `<td style="background:${regimeColors[regime] ?? '#9a9a9a'};color:#000">${regime}<br><small>drift ${short(drift, 2)}</small></td>`;
    });
    return `<tr><th scope="row">${escapeHtml(String(row))}</th>${boxes.join('')}</tr>`;
  });
  return `<h2>Phase diagram: regime over ${escapeHtml(rowName)} and ${escapeHtml(columnName)}</h2>
<table class="phase"><thead><tr><th></th>${columns.map((c) => `<th scope="col">${escapeHtml(String(c))}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function cellTable(cells: readonly CellResult[]): string {
  const names = Object.keys(cells[0]?.values ?? {});
  const metrics = ['loss', 'testLoss', 'accuracy', 'drift', 'movement', 'twinGap'].filter((m) =>
    cells.some((c) => c.metrics[m] !== null && c.metrics[m] !== undefined),
  );
  const head = [...names, 'status', 'steps', ...metrics, 'regime']
    .map((n) => `<th>${escapeHtml(n)}</th>`)
    .join('');
  const body = cells
    .map(
      (c) =>
        `<tr>${[...names.map((n) => String(c.values[n])), c.status, String(c.steps), ...metrics.map((m) => short(c.metrics[m])), c.regime].map((v) => `<td>${escapeHtml(v)}</td>`).join('')}</tr>`,
    )
    .join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
