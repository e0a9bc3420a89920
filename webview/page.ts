import type { Card, Outlet, Scene } from './cards/card.js';
import { createCards } from './cards/catalog.js';
import type { Range } from './charts/series.js';
import type { RunData } from './store.js';
import { t } from './strings.js';
import { onThemeChange, readTheme, type Theme } from './theme.js';
import { element } from './ui/dom.js';
import { type CommandName, Header } from './ui/header.js';
import { RunChips } from './ui/runChips.js';
import { FrameScheduler } from './ui/scheduler.js';
import { Timeline } from './ui/timeline.js';
import { Unmeasured } from './ui/unmeasured.js';

/** What the page asks of its host. */
export interface PageHost {
  /** What the buttons do; null in a report, which has none. */
  readonly command: ((name: CommandName) => void) | null;
  /** A run was taken out of the comparison. */
  readonly removed?: (run: string) => void;
}

/** Milliseconds of a frame that cards may be drawn in, so that scrolling and typing stay smooth while a run streams. */
const frameBudget = 5;

/** Cards that stand there from the beginning, before anything was measured. */
const always: ReadonlySet<string> = new Set(['loss', 'spectrum', 'movement']);

/** The dashboard's body, shared by the panel in the editor and the self-contained report. */
export class Page {
  readonly scheduler = new FrameScheduler();
  private readonly runs: RunData[] = [];
  private readonly header: Header;
  private readonly chips: RunChips;
  private readonly timeline: Timeline;
  private readonly cards: readonly Card[];
  private readonly unmeasured = new Unmeasured();
  private readonly empty = element(
    'p',
    { class: 'nothing' },
    t('No run is shown. Train an experiment from its lens, or choose a run in the side bar.'),
  );
  private readonly grid = element('div', { class: 'cards' });
  private readonly main: HTMLElement;
  /** Number of cards and width that the last row was laid out for. */
  private laidOut = '';
  private theme: Theme = readTheme();
  private revision = 0;
  private difference = false;
  /** Card that the next frame begins with. */
  private next = 0;

  constructor(root: HTMLElement, outlet: Outlet, host: PageHost) {
    const redraw = () => this.redrawAll();
    this.header = new Header(host.command);
    this.timeline = new Timeline(redraw);
    this.chips = new RunChips({
      front: (run) => {
        this.runs.splice(this.runs.indexOf(run), 1);
        this.runs.unshift(run);
        redraw();
      },
      remove: (run) => {
        this.remove(run.info.run);
        host.removed?.(run.info.run);
      },
      difference: (on) => {
        this.difference = on;
        redraw();
      },
    });
    this.cards = createCards({ outlet, onChange: redraw });
    const { grid } = this;
    grid.append(...this.cards.map((c) => c.root));
    this.main = element(
      'main',
      {},
      this.header.root,
      this.chips.root,
      this.timeline.root,
      this.empty,
      grid,
      this.unmeasured.root,
    );
    root.append(this.main);
    grid.addEventListener('pick', (event) =>
      this.timeline.choose(Math.round((event as CustomEvent<number>).detail)),
    );
    grid.addEventListener('walk', (event) => this.timeline.walk((event as CustomEvent<number>).detail));
    grid.addEventListener('zoom', (event) => this.timeline.zoom((event as CustomEvent<Range | null>).detail));
    this.watchSight();
    new ResizeObserver(redraw).observe(root);
    onThemeChange(() => {
      this.theme = readTheme();
      redraw();
    });
    this.redraw();
  }

  get primary(): RunData | undefined {
    return this.runs[0];
  }

  get ids(): readonly string[] {
    return this.runs.map((r) => r.info.run);
  }

  run(id: string): RunData | undefined {
    return this.runs.find((r) => r.info.run === id);
  }

  /** Adds a run, or replaces what was held of it; the first one stays in front. */
  put(run: RunData): void {
    const at = this.runs.findIndex((r) => r.info.run === run.info.run);
    if (at >= 0) this.runs[at] = run;
    else this.runs.push(run);
    this.redraw();
  }

  remove(id: string): void {
    const at = this.runs.findIndex((r) => r.info.run === id);
    if (at >= 0) this.runs.splice(at, 1);
    this.redraw();
  }

  /** Draws what new data changed. */
  redraw(): void {
    this.scheduler.request(this.draw);
  }

  /** Draws everything on screen again: theme, size or a switch changed. */
  redrawAll(): void {
    this.revision++;
    this.redraw();
  }

  /**
   * Draws the cards in turn; one that will not fit into this frame comes first in the next one. Until then the page is
   * marked as behind, for whoever wants to see it whole.
   */
  private updateCards(scene: Scene): void {
    const start = performance.now();
    const { cards } = this;
    let drawn = 0;
    for (let i = 0; i < cards.length; i++) {
      const at = (this.next + i) % cards.length;
      const card = cards[at];
      if (card.root.hidden || !card.visible || !card.behind(scene)) continue;
      if (drawn > 0 && performance.now() - start + card.cost > frameBudget) {
        this.next = at;
        this.main.toggleAttribute('data-behind', true);
        this.redraw();
        return;
      }
      card.update(scene);
      drawn++;
    }
    this.next = 0;
    this.main.removeAttribute('data-behind');
  }

  /** The last card takes what is left of its row. */
  private fillLastRow(): void {
    const shown = this.cards.filter((card) => !card.root.hidden);
    const key = `${shown.length} ${this.grid.clientWidth}`;
    if (key === this.laidOut) return;
    this.laidOut = key;
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(' ').length;
    const over = shown.length % columns;
    for (const card of this.cards) card.root.style.removeProperty('grid-column');
    if (over > 0) shown[shown.length - 1].root.style.gridColumn = `span ${columns - over + 1}`;
  }

  /** Cards out of sight are not drawn. */
  private watchSight(): void {
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          const card = this.cards.find((c) => c.root === entry.target);
          if (card) card.visible = entry.isIntersecting;
        }
        this.redrawAll();
      },
      { rootMargin: '120px' },
    );
    for (const card of this.cards) observer.observe(card.root);
  }

  private readonly draw = (): void => {
    const { primary, theme } = this;
    this.empty.toggleAttribute('hidden', primary !== undefined);
    this.header.update(primary);
    this.chips.update(this.runs, theme);
    this.timeline.update(primary, theme);
    const { step, window, logSteps } = this.timeline.state;
    const scene: Scene = {
      primary,
      runs: this.runs,
      step,
      window,
      logSteps,
      difference: this.difference,
      theme,
      revision: this.revision,
    };
    const missing: Card[] = [];
    for (const card of this.cards) {
      const there = this.runs.some((run) => card.available(run));
      const shown = primary !== undefined && (there || (primary.live && always.has(card.options.id)));
      card.root.toggleAttribute('hidden', !shown);
      if (primary && !there) missing.push(card);
    }
    this.updateCards(scene);
    this.fillLastRow();
    this.unmeasured.update(primary?.live && primary.lastStep === 0 ? [] : missing, primary);
  };
}
