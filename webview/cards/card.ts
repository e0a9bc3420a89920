import type { LineChart } from '../charts/lineChart.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import type { Theme } from '../theme.js';
import { button } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { toCsv, toMarkdown } from '../ui/table.js';

/** Numbers behind a chart: what the data table, CSV and Markdown copies show. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string | null)[])[];
}

/** What a card draws: the run in front, others laid over it, and the step the scrubber stands at (null: live). */
export interface Scene {
  readonly primary: RunData | undefined;
  readonly runs: readonly RunData[];
  readonly step: number | null;
  readonly theme: Theme;
  /** Raised when something other than data asks for a new drawing: theme, size, a switch of a card. */
  readonly revision: number;
}

/** Where files and copied text go: the host in the editor, a download in a report. */
export interface Outlet {
  file(name: string, mime: string, data: Blob): void;
  copy(text: string): void;
}

export interface CardOptions {
  readonly id: string;
  readonly title: string;
  /** "What does this mean?" in two or three sentences. */
  readonly explanation: string;
  readonly outlet: Outlet;
}

/** One chart of the dashboard with its title, explanation, tools, legend, summary for screen readers and data table. */
export abstract class Card {
  readonly root: HTMLElement;
  protected readonly stage = element('div', { class: 'stage' });
  protected readonly legend = element('ul', { class: 'legend', 'aria-hidden': 'true' });
  protected readonly tools = element('div', { class: 'tools' });
  private readonly summary = element('p', { class: 'summary' });
  private readonly tablePlace = element('div', { class: 'table', hidden: true });
  private readonly empty: HTMLElement;
  private scene: Scene | null = null;
  private stamp = '';
  visible = true;
  /** Whether the card draws metrics rows, not only arrays that are measured now and then. */
  protected readonly followsRows: boolean = true;

  constructor(protected readonly options: CardOptions) {
    this.empty = element('p', { class: 'empty' }, t('Nothing measured yet.'));
    const explanation = element(
      'p',
      { class: 'explanation', hidden: true, id: `explain-${options.id}` },
      options.explanation,
    );
    const tableButton = button({
      label: t('Table'),
      title: t('Show the data as a table'),
      name: t('Table: the data behind “{0}”', options.title),
      onClick: () => this.toggleTable(),
    });
    this.tools.append(
      button({
        label: '?',
        title: t('What does this mean?'),
        name: t('What does “{0}” mean?', options.title),
        onClick: () => explanation.toggleAttribute('hidden'),
      }),
      tableButton,
      this.exportMenu(),
    );
    this.root = element(
      'section',
      { class: 'card', id: `card-${options.id}`, 'aria-label': options.title },
      element('header', {}, element('h2', {}, options.title), this.tools),
      explanation,
      this.stage,
      this.legend,
      this.summary,
      this.tablePlace,
    );
    this.stage.append(this.empty);
  }

  /** Draws the scene; call from an animation frame. */
  update(scene: Scene): void {
    this.scene = scene;
    const stamp = scene.runs
      .map(
        (run) => `${run.info.run}:${run.arraysVersion}:${this.followsRows ? run.version : ''}:${run.status}`,
      )
      .concat(String(scene.step), String(scene.revision))
      .join(' ');
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    const drawn = this.draw(scene);
    this.empty.toggleAttribute('hidden', drawn);
    const text = drawn ? this.summarize(scene) : '';
    if (this.summary.textContent !== text) this.summary.textContent = text;
    if (!this.tablePlace.hidden) this.fillTable();
  }

  /** Draws and says whether there was anything to draw. */
  protected abstract draw(scene: Scene): boolean;
  /** One sentence with the numbers that matter, shown under the chart and read by screen readers. */
  protected abstract summarize(scene: Scene): string;
  abstract table(scene: Scene): Table;
  /** The picture as PNG and SVG; absent where there is none. */
  protected abstract pictures(): { png: () => Promise<Blob | null>; svg?: () => string };
  abstract dispose(): void;

  protected setLegend(
    entries: readonly { readonly label: string; readonly color: string; readonly dashed?: boolean }[],
  ): void {
    const key = JSON.stringify(entries);
    if (this.legend.dataset['key'] === key) return;
    this.legend.dataset['key'] = key;
    this.legend.replaceChildren(
      ...entries.map(({ label, color, dashed }) => {
        const swatch = element('span', { class: dashed ? 'swatch dashed' : 'swatch' });
        swatch.style.color = color;
        return element('li', {}, swatch, label);
      }),
    );
  }

  private toggleTable(): void {
    this.tablePlace.toggleAttribute('hidden');
    if (!this.tablePlace.hidden) this.fillTable();
  }

  private fillTable(): void {
    if (!this.scene) return;
    const { columns, rows } = this.table(this.scene);
    const shown = rows.slice(-200);
    this.tablePlace.replaceChildren(
      element(
        'table',
        {},
        element('caption', {}, t('{0}: last {1} of {2} rows', this.options.title, shown.length, rows.length)),
        element('thead', {}, element('tr', {}, ...columns.map((c) => element('th', { scope: 'col' }, c)))),
        element(
          'tbody',
          {},
          ...shown.map((row) =>
            element('tr', {}, ...row.map((v) => element('td', {}, v === null ? '–' : String(v)))),
          ),
        ),
      ),
    );
  }

  private exportMenu(): HTMLElement {
    const menu = element('details', { class: 'menu' });
    const run = (action: () => void) => () => {
      menu.open = false;
      action();
    };
    const { outlet, id } = this.options;
    const items: readonly [string, () => void][] = [
      [
        'PNG',
        () =>
          void this.pictures()
            .png()
            .then((blob) => blob && outlet.file(`${id}.png`, 'image/png', blob)),
      ],
      [
        'SVG',
        () => {
          const svg = this.pictures().svg?.();
          if (svg) outlet.file(`${id}.svg`, 'image/svg+xml', new Blob([svg], { type: 'image/svg+xml' }));
        },
      ],
      [
        'CSV',
        () => this.withTable((table) => outlet.file(`${id}.csv`, 'text/csv', new Blob([toCsv(table)]))),
      ],
      [t('Copy as Markdown'), () => this.withTable((table) => outlet.copy(toMarkdown(table)))],
    ];
    const summary = element('summary', { title: t('Export “{0}”', this.options.title) }, t('Export'));
    menu.append(
      summary,
      element(
        'div',
        { class: 'items' },
        ...items.map(([label, action]) => element('button', { type: 'button', onclick: run(action) }, label)),
      ),
    );
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      menu.open = false;
      summary.focus();
    });
    return menu;
  }

  private withTable(use: (table: Table) => void): void {
    if (this.scene) use(this.table(this.scene));
  }
}

/** Pictures of a card that is one line chart. */
export const chartPictures = (chart: LineChart, title: string) => ({
  png: () => chart.png(),
  svg: () => chart.svg(title),
});
