import type { Card, Outlet, Scene } from './cards/card.js';
import { createCards } from './cards/catalog.js';
import type { RunData } from './store.js';
import { onThemeChange, readTheme, type Theme } from './theme.js';
import { element } from './ui/dom.js';
import { Header } from './ui/header.js';
import { FrameScheduler } from './ui/scheduler.js';
import { Scrubber } from './ui/scrubber.js';

/** What the buttons do; null in a report, which has none. */
export type PageCommand = ConstructorParameters<typeof Header>[0];

/** The dashboard's body, shared by the panel in the editor and the self-contained report. */
export class Page {
  readonly scheduler = new FrameScheduler();
  private readonly runs: RunData[] = [];
  private readonly header: Header;
  private readonly scrubber: Scrubber;
  private readonly cards: readonly Card[];
  private theme: Theme = readTheme();
  private revision = 0;

  constructor(root: HTMLElement, outlet: Outlet, command: PageCommand) {
    const redraw = () => this.redrawAll();
    this.header = new Header(command);
    this.scrubber = new Scrubber(redraw);
    this.cards = createCards(outlet, redraw);
    root.append(
      element(
        'main',
        {},
        this.header.root,
        this.scrubber.root,
        element('div', { class: 'cards' }, ...this.cards.map((c) => c.root)),
      ),
    );
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const card = this.cards.find((c) => c.root === entry.target);
        if (card) card.visible = entry.isIntersecting;
      }
      redraw();
    });
    for (const card of this.cards) observer.observe(card.root);
    new ResizeObserver(redraw).observe(root);
    onThemeChange(() => {
      this.theme = readTheme();
      redraw();
    });
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

  private readonly draw = (): void => {
    const scene: Scene = {
      primary: this.primary,
      runs: this.runs,
      step: this.scrubber.step,
      theme: this.theme,
      revision: this.revision,
    };
    this.header.update(this.primary);
    this.scrubber.setSteps(this.primary?.measuredSteps() ?? []);
    for (const card of this.cards) if (card.visible) card.update(scene);
  };
}
