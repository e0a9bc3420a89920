import { rasterize } from '../charts/raster.js';
import type { Range, Series } from '../charts/series.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import type { Theme } from '../theme.js';
import { button } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { Legend } from '../ui/legend.js';
import { fillTable, type Table, toCsv, toMarkdown } from '../ui/table.js';

export type { Table } from '../ui/table.js';

/** What a card draws: the run in front, others laid over it, and the step the page stands at (null: live). */
export interface Scene {
  readonly primary: RunData | undefined;
  readonly runs: readonly RunData[];
  /** May lie between two steps while the run is played. */
  readonly step: number | null;
  /** Part of the run that charts over the steps show; null for all of it. */
  readonly window: Range | null;
  /** Whether charts over the steps have a logarithmic axis. */
  readonly logSteps: boolean;
  /** Whether the other runs are drawn as differences from the one in front. */
  readonly difference: boolean;
  readonly theme: Theme;
  /** Raised when something other than data asks for a new drawing: theme, size, a switch of a card. */
  readonly revision: number;
}

/** Where files and copied text go: the host in the editor, a download in a report. */
export interface Outlet {
  file(name: string, mime: string, data: Blob): void;
  copy(text: string): void;
}

/** What every card needs from the page. */
export interface CardPlace {
  readonly outlet: Outlet;
  /** Asks for a new drawing after a switch was used. */
  readonly onChange: () => void;
}

export interface CardOptions extends CardPlace {
  readonly id: string;
  readonly title: string;
  /** "What does this mean?" in two or three sentences. */
  readonly explanation: string;
  /** What a run without these numbers lacks, and how to get them. */
  readonly missing: string;
}

/** Weight of the newest drawing in what a drawing is expected to take. */
const smoothing = 0.3;

/** One chart of the dashboard with its title, explanation, tools, legend, summary for screen readers and data table. */
export abstract class Card {
  readonly root: HTMLElement;
  protected readonly stage = element('div', { class: 'stage' });
  protected readonly switches = element('div', { class: 'switches' });
  private readonly subtitle = element('p', { class: 'subtitle' });
  private readonly legend = new Legend();
  private readonly summary = element('p', { class: 'summary' });
  private readonly reading = element('p', { class: 'reading', 'aria-live': 'polite' });
  private readonly tablePlace: HTMLElement;
  private readonly empty: HTMLElement;
  private scene: Scene | null = null;
  private stamp = '';
  visible = true;
  /** Milliseconds that drawing it takes, smoothed. */
  cost = 0;
  /** Whether the card draws metrics rows, not only arrays that are measured now and then. */
  protected readonly followsRows: boolean = true;

  constructor(readonly options: CardOptions) {
    const { id, title } = options;
    this.empty = element('p', { class: 'empty' }, t('Waiting for the first measurement …'));
    // Nothing is known to be missing before the card has come into sight.
    this.empty.toggleAttribute('hidden', true);
    this.tablePlace = element('div', {
      class: 'table',
      hidden: true,
      tabindex: '0',
      role: 'region',
      'aria-label': t('Data behind “{0}”', title),
    });
    const explanation = element('p', { class: 'explanation', hidden: true }, options.explanation);
    const tools = element(
      'div',
      { class: 'tools' },
      button({
        label: t('What does this mean?'),
        icon: 'info',
        appearance: 'icon',
        name: t('What does “{0}” mean?', title),
        onClick: () => explanation.toggleAttribute('hidden'),
      }),
      button({
        label: t('Show the data as a table'),
        icon: 'table',
        appearance: 'icon',
        name: t('Table: the data behind “{0}”', title),
        onClick: () => this.toggleTable(),
      }),
      this.exportMenu(),
    );
    this.root = element(
      'section',
      { class: 'card', id: `card-${id}`, 'aria-label': title },
      element('header', {}, element('h2', {}, title), this.switches, tools, this.subtitle),
      explanation,
      this.stage,
      this.legend.root,
      this.reading,
      this.summary,
      this.tablePlace,
    );
    this.stage.append(this.empty);
    this.stage.addEventListener('read', (event) => this.say((event as CustomEvent<string>).detail));
  }

  /** Whether the scene differs from what is drawn. */
  behind(scene: Scene): boolean {
    return this.stampOf(scene) !== this.stamp;
  }

  /** Draws the scene; call from an animation frame. */
  update(scene: Scene): void {
    const start = performance.now();
    this.scene = scene;
    this.stamp = this.stampOf(scene);
    const drawn = this.draw(scene);
    this.empty.toggleAttribute('hidden', drawn);
    this.stage.classList.toggle('blank', !drawn);
    setText(this.summary, drawn ? this.summarize(scene) : '');
    setText(this.subtitle, drawn ? this.describeUnits(scene) : '');
    if (!this.tablePlace.hidden) this.fillTable();
    this.cost += smoothing * (performance.now() - start - this.cost);
  }

  private stampOf(scene: Scene): string {
    return scene.runs
      .map(
        (run) => `${run.info.run}:${run.arraysVersion}:${this.followsRows ? run.version : ''}:${run.status}`,
      )
      .concat(
        String(scene.step),
        String(scene.revision),
        JSON.stringify([scene.window, scene.logSteps, scene.difference]),
      )
      .join(' ');
  }

  /** Whether the run holds anything for this card. */
  abstract available(run: RunData): boolean;
  /** Draws and says whether there was anything to draw. */
  protected abstract draw(scene: Scene): boolean;
  /** One sentence with the numbers that matter, shown under the chart and read by screen readers. */
  protected abstract summarize(scene: Scene): string;
  /** What is drawn, in which units: the line under the title. */
  protected abstract describeUnits(scene: Scene): string;
  abstract table(scene: Scene): Table;
  /** The picture with title and legend, as SVG. */
  protected abstract picture(title: string, subtitle: string): string;
  abstract dispose(): void;

  protected setLegend(series: readonly Series[], theme: Theme): void {
    this.legend.show(series, theme);
  }

  /** Reads a value aloud and shows it under the chart. */
  protected say(text: string): void {
    setText(this.reading, text);
  }

  private toggleTable(): void {
    this.tablePlace.toggleAttribute('hidden');
    if (!this.tablePlace.hidden) this.fillTable();
  }

  private fillTable(): void {
    if (this.scene) fillTable(this.tablePlace, this.options.title, this.table(this.scene));
  }

  private svg(): string {
    return this.picture(this.options.title, this.scene?.runs.map((run) => run.label).join(', ') ?? '');
  }

  private exportMenu(): HTMLElement {
    const menu = element('details', { class: 'menu' });
    const { outlet, id, title } = this.options;
    const run = (action: () => void) => () => {
      menu.open = false;
      summary.focus();
      action();
    };
    const items: readonly [string, () => void][] = [
      [
        'PNG',
        () => void rasterize(this.svg()).then((blob) => blob && outlet.file(`${id}.png`, 'image/png', blob)),
      ],
      [
        'SVG',
        () => outlet.file(`${id}.svg`, 'image/svg+xml', new Blob([this.svg()], { type: 'image/svg+xml' })),
      ],
      [
        'CSV',
        () => this.withTable((table) => outlet.file(`${id}.csv`, 'text/csv', new Blob([toCsv(table)]))),
      ],
      [t('Copy as Markdown'), () => this.withTable((table) => outlet.copy(toMarkdown(table)))],
    ];
    const summary = element(
      'summary',
      { title: t('Export'), 'aria-label': t('Export “{0}”', title) },
      icon('share'),
    );
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
    menu.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && menu.contains(event.relatedTarget))) menu.open = false;
    });
    return menu;
  }

  private withTable(use: (table: Table) => void): void {
    if (this.scene) use(this.table(this.scene));
  }
}

export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
