import type { MetricsFrame } from '../../protocol/trainerWire.js';
import { type RunView, type ToView, viewWireVersion } from '../../protocol/viewWire.js';
import type { RunFrame, RunModel } from '../runs/liveRun.js';
import { spoken, spokenEnd, spokenEvents } from '../spoken/spoken.js';

/** Frames that may be on their way to a panel before newer ones are merged. */
const mostFlying = 2;

const viewOf = (run: RunModel): RunView => ({
  info: { ...run.info, name: run.name, backend: { ...run.info.backend, why: spoken(run.info.backend.why) } },
  status: run.status,
  ended: spokenEnd(run.ended),
});

/** Frames in a row as one. */
export function mergeFrames(frames: readonly RunFrame[]): RunFrame {
  if (frames.length === 1) return frames[0];
  const names = new Set(frames.flatMap((f) => Object.keys(f.metrics.columns)));
  const rows = frames.reduce((sum, f) => sum + f.metrics.step.length, 0);
  const join = (pick: (m: MetricsFrame) => Float64Array | undefined): Float64Array => {
    const out = new Float64Array(rows).fill(Number.NaN);
    let at = 0;
    for (const { metrics } of frames) {
      const part = pick(metrics);
      if (part) out.set(part, at);
      at += metrics.step.length;
    }
    return out;
  };
  return {
    metrics: {
      step: join((m) => m.step),
      time: join((m) => m.time),
      columns: Object.fromEntries([...names].map((name) => [name, join((m) => m.columns[name])])),
    },
    snapshots: frames.flatMap((f) => f.snapshots),
    events: frames.flatMap((f) => f.events),
  };
}

/**
 * One run's way into one panel. Hidden panels get nothing; a panel that appears gets a picture of everything; then frames
 * go out as fast as they are acknowledged, merged while they are not.
 */
export class RunFeed {
  private seq = 0;
  private flying = 0;
  private waiting: RunFrame[] = [];
  private stale = true;
  private name = '';

  constructor(
    readonly run: RunModel,
    private readonly post: (message: ToView) => void,
    private readonly visible: () => boolean,
  ) {}

  /** Sends the whole picture, if the panel can be seen; else when it appears. */
  show(): void {
    this.waiting = [];
    this.flying = 0;
    this.stale = !this.visible();
    this.name = this.run.name;
    if (!this.stale) {
      const { events, ...picture } = this.run.picture();
      this.post({ type: 'snapshot', run: viewOf(this.run), ...picture, events: spokenEvents(events) });
    }
  }

  push(frame: RunFrame): void {
    if (!this.visible()) {
      this.stale = true;
      this.waiting = [];
      return;
    }
    this.waiting.push(frame);
    this.flush();
  }

  status(): void {
    // A name travels with the picture.
    if (this.name !== this.run.name) this.show();
    else if (!this.stale)
      this.post({
        type: 'status',
        run: this.run.id,
        status: this.run.status,
        ended: spokenEnd(this.run.ended),
      });
  }

  appeared(): void {
    if (this.stale) this.show();
  }

  acknowledge(): void {
    this.flying = Math.max(0, this.flying - 1);
    this.flush();
  }

  private flush(): void {
    if (this.waiting.length === 0 || this.flying >= mostFlying) return;
    const frame = mergeFrames(this.waiting);
    this.waiting = [];
    this.flying++;
    const { metrics, snapshots, events } = frame;
    this.post({
      type: 'frame',
      run: this.run.id,
      seq: this.seq++,
      metrics,
      snapshots,
      events: spokenEvents(events),
    });
  }
}

export const helloMessage = (strings: Readonly<Record<string, string>>, reducedMotion: boolean): ToView => ({
  type: 'hello',
  version: viewWireVersion,
  settings: { reducedMotion, logLoss: true },
  strings,
});
