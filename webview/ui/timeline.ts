import { decimate } from '../../src/core/series/index.js';
import type { Range } from '../charts/series.js';
import { formatCount } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { calm, type Theme, translucent } from '../theme.js';
import { button, toggle } from '../toolkit.js';
import { element } from './dom.js';
import { icon } from './icons.js';

/** What the page stands at. */
export interface TimeState {
  /** Chosen step, null follows the newest. Between two steps while the run is played. */
  step: number | null;
  /** Part of the run that charts over the steps show. */
  window: Range | null;
  logSteps: boolean;
}

/** Seconds in which the whole run is played. */
const playTime = 9;
/** Milliseconds a measurement stands still where nothing may move. */
const calmPause = 700;

/** The whole run at a glance: its loss, the measured steps, and the step that the page shows. Logarithmic in the step. */
export class Timeline {
  readonly state: TimeState = { step: null, window: null, logSteps: false };
  readonly root: HTMLElement;
  private readonly canvas = element('canvas', { 'aria-hidden': 'true' });
  private readonly track: HTMLElement;
  private readonly output = element('output', {});
  private readonly play: HTMLElement & { disabled: boolean };
  private readonly live: HTMLElement & { disabled: boolean };
  private readonly reset: HTMLElement & { disabled: boolean };
  private run: RunData | undefined;
  private steps: readonly number[] = [];
  private last = 0;
  private playing = 0;
  private drawnFor = '';

  constructor(private readonly onChange: () => void) {
    this.track = element(
      'div',
      { class: 'track', role: 'slider', tabindex: '0', 'aria-label': t('Step shown'), 'aria-valuemin': '0' },
      this.canvas,
    );
    this.play = button({
      label: t('Play the run'),
      icon: 'play',
      appearance: 'icon',
      onClick: () => this.toggle(),
    });
    this.live = button({
      label: t('Live'),
      icon: 'live',
      title: t('Follow the newest step'),
      onClick: () => this.choose(null),
    });
    this.reset = button({
      label: t('Whole run'),
      icon: 'reset',
      title: t('End the zoom of the charts over the steps'),
      onClick: () => this.zoom(null),
    });
    this.root = element(
      'div',
      { class: 'timeline', role: 'group', 'aria-label': t('Time') },
      this.play,
      this.track,
      this.output,
      this.live,
      toggle({
        label: t('log steps'),
        title: t('Logarithmic steps in every chart over the steps'),
        pressed: false,
        onChange: (pressed) => {
          this.state.logSteps = pressed;
          this.onChange();
        },
      }),
      this.reset,
    );
    this.listen();
  }

  update(run: RunData | undefined, theme: Theme): void {
    this.run = run;
    this.steps = run?.measuredSteps() ?? [];
    this.last = run?.lastStep ?? 0;
    this.root.toggleAttribute('hidden', !run);
    if (!run) return;
    this.reset.toggleAttribute('hidden', this.state.window === null);
    this.live.toggleAttribute('hidden', this.state.step === null);
    const shown = Math.min(this.state.step ?? this.last, this.last);
    const text = t('step {0}', formatCount(shown));
    const told = this.state.step === null && run.live ? t('{0}, live', text) : text;
    if (this.output.textContent !== told) this.output.textContent = told;
    this.track.setAttribute('aria-valuemax', String(this.last));
    this.track.setAttribute('aria-valuenow', String(Math.round(shown)));
    this.track.setAttribute('aria-valuetext', told);
    this.paint(run, theme);
  }

  /** Goes to a step; beyond the last one it follows the run. */
  choose(step: number | null): void {
    this.stopPlaying();
    this.go(step);
  }

  /** To the next measured step in a direction. */
  walk(count: number): void {
    const now = this.state.step ?? this.last;
    const { steps } = this;
    let at = steps.findIndex((s) => s >= now);
    if (at < 0) at = steps.length - 1;
    if (count > 0 && steps[at] > now) at--;
    this.choose(steps[Math.max(0, Math.min(steps.length - 1, at + count))] ?? null);
  }

  zoom(window: Range | null): void {
    this.state.window = window && { min: Math.max(0, window.min), max: Math.min(window.max, this.extent) };
    this.onChange();
  }

  private go(step: number | null): void {
    this.state.step = step === null || step >= this.last ? null : Math.max(0, step);
    this.onChange();
  }

  /** Last step on the track: the planned one while the run goes on. */
  private get extent(): number {
    return Math.max(1, this.run?.live ? (this.run.info.steps ?? 0) : 0, this.last);
  }

  private place(step: number): number {
    return Math.log1p(step) / Math.log1p(this.extent);
  }

  private stepAt(share: number): number {
    return Math.expm1(Math.max(0, Math.min(1, share)) * Math.log1p(this.extent));
  }

  private listen(): void {
    const { track } = this;
    const follow = (event: PointerEvent) => {
      const box = track.getBoundingClientRect();
      this.choose(Math.round(this.stepAt((event.clientX - box.left) / box.width)));
    };
    track.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      track.setPointerCapture(event.pointerId);
      follow(event);
    });
    track.addEventListener('pointermove', (event) => {
      if (track.hasPointerCapture(event.pointerId)) follow(event);
    });
    track.addEventListener('keydown', (event) => {
      const acts: Readonly<Record<string, () => void>> = {
        ArrowLeft: () => this.walk(-1),
        ArrowDown: () => this.walk(-1),
        ArrowRight: () => this.walk(1),
        ArrowUp: () => this.walk(1),
        PageDown: () => this.walk(-5),
        PageUp: () => this.walk(5),
        Home: () => this.choose(0),
        End: () => this.choose(null),
        ' ': () => this.toggle(),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  private toggle(): void {
    if (this.playing) {
      this.stopPlaying();
      this.onChange();
      return;
    }
    let share = this.state.step === null ? 0 : this.place(this.state.step);
    let before = performance.now();
    let stood = before - calmPause;
    const frame = (now: number) => {
      if (calm()) {
        if (now - stood >= calmPause) {
          stood = now;
          const at = this.steps.find((s) => this.place(s) > share + 1e-9);
          share = at === undefined ? 1 : this.place(at);
        }
      } else share += (now - before) / 1000 / playTime;
      before = now;
      this.playing = requestAnimationFrame(frame);
      if (share >= this.place(this.last)) this.choose(null);
      else this.go(this.stepAt(share));
    };
    this.playing = requestAnimationFrame(frame);
    this.showPlaying();
  }

  private stopPlaying(): void {
    if (this.playing) cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.showPlaying();
  }

  private showPlaying(): void {
    const on = this.playing !== 0;
    this.play.replaceChildren(icon(on ? 'pause' : 'play'));
    const name = on ? t('Pause the playing') : t('Play the run');
    this.play.title = name;
    this.play.setAttribute('aria-label', name);
  }

  private paint(run: RunData, theme: Theme): void {
    const [width, height] = [this.track.clientWidth, this.track.clientHeight];
    const key = [
      run.info.run,
      run.version,
      run.arraysVersion,
      width,
      JSON.stringify(this.state),
      theme.palette,
    ].join();
    if (width === 0 || key === this.drawnFor) return;
    this.drawnFor = key;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext('2d');
    if (!context) return;
    context.scale(ratio, ratio);
    const base = height - 9;
    this.paintLoss(context, run, width, base, theme);
    context.fillStyle = theme.muted;
    for (const step of this.steps) {
      context.beginPath();
      context.arc(this.place(step) * (width - 2) + 1, height - 4, 1.8, 0, 2 * Math.PI);
      context.fill();
    }
    const { window: part } = this.state;
    if (part) {
      context.fillStyle = translucent(theme.muted, 0.18);
      const [a, b] = [this.place(part.min) * width, this.place(part.max) * width];
      context.fillRect(0, 0, a, height);
      context.fillRect(b, 0, width - b, height);
    }
    const x = this.place(Math.min(this.state.step ?? this.last, this.extent)) * (width - 2) + 1;
    context.fillStyle = theme.foreground;
    context.fillRect(x - 1, 0, 2, height);
    context.beginPath();
    context.arc(x, height - 5, 4.5, 0, 2 * Math.PI);
    context.fill();
  }

  /** The training loss as a hill, logarithmic in both directions. */
  private paintLoss(
    context: CanvasRenderingContext2D,
    run: RunData,
    width: number,
    base: number,
    theme: Theme,
  ): void {
    const data = run.column('loss');
    if (!data) return;
    const shifted = data.step.map((s) => s + 1);
    const { x, y } = decimate(shifted, data.values, { pixels: width / 2, logX: true, logY: true });
    if (x.length === 0) return;
    let [low, high] = [Number.POSITIVE_INFINITY, 0];
    for (const v of y) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    const span = Math.log(high / low) || 1;
    const at = (i: number) =>
      [this.place(x[i] - 1) * width, 3 + (base - 6) * (1 - Math.log(y[i] / low) / span)] as const;
    context.beginPath();
    for (let i = 0; i < x.length; i++) context.lineTo(...at(i));
    context.strokeStyle = theme.palette[0];
    context.lineWidth = 1.5;
    context.stroke();
    context.lineTo(at(x.length - 1)[0], base);
    context.lineTo(at(0)[0], base);
    context.fillStyle = translucent(theme.palette[0], 0.16);
    context.fill();
  }
}
