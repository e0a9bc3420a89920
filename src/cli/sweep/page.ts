import { say } from '../../core/say.js';
import { median } from '../../core/stats/index.js';
import { type Figure, figureSvg } from '../../theory/figure.js';
import { escapeHtml, htmlPage } from '../../theory/html.js';
import { short } from '../io/options.js';
import type { CellResult, SweepFit } from './analyse.js';
import type { Cell } from './grid.js';

export interface SweepPicture {
  readonly title: string;
  readonly grid: readonly Cell[];
  /** Cells that are over. */
  readonly cells: readonly CellResult[];
  readonly fits: readonly SweepFit[];
  readonly figures: readonly Figure[];
  /** Ids of the cells that go on now. */
  readonly running: ReadonlySet<string>;
}

/** The page of a sweep: how far it is, slopes with the fits drawn, the phase diagram of two variables, every cell. */
export function sweepPage({ title, grid, cells, fits, figures, running }: SweepPicture): string {
  const slopes = fits
    .map(
      (f) =>
        `<tr><td>${escapeHtml(f.metric)}</td><td>${escapeHtml(f.variable)}</td><td>${f.slope.toFixed(3)}</td><td>[${f.interval[0].toFixed(2)}, ${f.interval[1].toFixed(2)}]</td><td>${f.points}</td></tr>`,
    )
    .join('');
  const open = grid.length - cells.length;
  const state =
    open === 0
      ? `All ${grid.length} runs are done.`
      : `${cells.length} of ${grid.length} runs are done, ${running.size} go on.`;
  return htmlPage(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p><progress max="${grid.length}" value="${cells.length}" aria-label="Cells that are done"></progress> ${state}</p>
<p class="muted">Dots are medians over the seeds, bands reach from the lowest to the highest seed, dashed lines are power laws fitted to all seeds.</p>
${fits.length > 0 ? `<h2>Fitted exponents</h2><table><thead><tr><th scope="col">metric</th><th scope="col">variable</th><th scope="col">slope on log axes</th><th scope="col">95 % interval</th><th scope="col">points</th></tr></thead><tbody>${slopes}</tbody></table>` : ''}
${phaseDiagram(grid, cells)}
<div class="figures">${figures.map((figure) => `<figure>${figureSvg(figure)}</figure>`).join('\n')}</div>
<h2>Cells</h2><div class="wide" tabindex="0" role="region" aria-label="Cells">${cellTable(grid, cells, running)}</div>`,
  );
}

const regimeColors: Readonly<Record<string, string>> = {
  lazy: '#7fb2e5',
  'in between': '#d8c26a',
  rich: '#e08a73',
  undetermined: '#b5b5b5',
};

const isSeed = (name: string): boolean => name === 'seed' || name.endsWith('.seed');

/** The verdict of most seeds; the first of those that are equally often. */
function mostOften(regimes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const regime of regimes) counts.set(regime, (counts.get(regime) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'undetermined';
}

/** Regime over two variables, when exactly two beside the seed vary: the first upwards, the second to the right. */
function phaseDiagram(grid: readonly Cell[], cells: readonly CellResult[]): string {
  const names = Object.keys(grid[0]?.values ?? {}).filter((name) => !isSeed(name));
  if (names.length !== 2 || cells.length === 0) return '';
  const [rowName, columnName] = names;
  const values = (name: string) => [...new Set(grid.map((c) => c.values[name]))];
  const columns = values(columnName);
  const rows = values(rowName)
    .reverse()
    .map((row) => {
      const boxes = columns.map((column) => {
        const here = cells.filter((c) => c.values[rowName] === row && c.values[columnName] === column);
        if (here.length === 0) return '<td class="open">…</td>';
        const regime = mostOften(here.map((c) => c.regime));
        const drifts = here.map((c) => c.metrics['drift'] ?? Number.NaN).filter(Number.isFinite);
        const drift = drifts.length > 0 ? say`drift ${short(median(drifts), 2)}` : '';
        return `<td style="background:${regimeColors[regime] ?? '#b5b5b5'};color:#000">${escapeHtml(regime)}<br><small>${drift}</small></td>`;
      });
      return `<tr><th scope="row">${escapeHtml(String(row))}</th>${boxes.join('')}</tr>`;
    });
  return `<h2>Phase diagram: regime over ${escapeHtml(rowName)} and ${escapeHtml(columnName)}</h2>
<table class="phase"><thead><tr><th scope="col">${escapeHtml(rowName)} ↑, ${escapeHtml(columnName)} →</th>${columns.map((c) => `<th scope="col">${escapeHtml(String(c))}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function cellTable(
  grid: readonly Cell[],
  cells: readonly CellResult[],
  running: ReadonlySet<string>,
): string {
  const names = Object.keys(grid[0]?.values ?? {});
  const metrics = ['loss', 'testLoss', 'accuracy', 'drift', 'movement', 'twinGap'].filter((m) =>
    cells.some((c) => c.metrics[m] !== null && c.metrics[m] !== undefined),
  );
  const head = [...names, say`status`, say`steps`, ...metrics, say`regime`]
    .map((n) => `<th scope="col">${escapeHtml(n)}</th>`)
    .join('');
  const results = new Map(cells.map((c) => [c.id, c]));
  const body = grid
    .map(({ id, values }) => {
      const c = results.get(id);
      const rest = c
        ? [c.status, String(c.steps), ...metrics.map((m) => short(c.metrics[m])), c.regime]
        : [running.has(id) ? 'running' : say`waiting`, '', ...metrics.map(() => ''), ''];
      const texts = [...names.map((n) => String(values[n])), ...rest];
      return `<tr>${texts.map((v) => `<td>${escapeHtml(v)}</td>`).join('')}</tr>`;
    })
    .join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
