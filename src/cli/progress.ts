/**
 * Progress on stderr: one bar that is redrawn on a terminal, plain lines when piped, nothing when switched off. Results
 * go to stdout, so a pipe gets them alone.
 */
export class Progress {
  private readonly enabled: boolean;
  private readonly live: boolean;
  private readonly lines: boolean;
  private drawn = false;
  private lastText = '';
  private lastAt = 0;

  constructor(options: { readonly enabled: boolean }) {
    // An editor that runs us asks for progress lines beside the JSON document.
    this.enabled = options.enabled || process.env['KERNELSCOPE_PROGRESS'] === '1';
    this.lines = options.enabled;
    this.live = this.enabled && process.stderr.isTTY === true;
  }

  /** `fraction` in [0, 1]; `text` says what is going on. */
  update(fraction: number, text: string): void {
    if (!this.enabled) return;
    const now = performance.now();
    if (!this.live) {
      // A piped log gets a line at each new stage and now and then within one.
      const stage = text.replace(/[\d.]+/g, '#');
      const pause = this.lines ? 5000 : 300;
      if (stage === this.lastText && now - this.lastAt < pause) return;
      this.lastText = stage;
      this.lastAt = now;
      process.stderr.write(`${String(Math.round(100 * fraction)).padStart(3)} %  ${text}\n`);
      return;
    }
    if (this.drawn && fraction < 1 && now - this.lastAt < 60) return;
    this.lastAt = now;
    const width = 24;
    const full = Math.round(width * Math.min(1, Math.max(0, fraction)));
    const bar = '█'.repeat(full) + '░'.repeat(width - full);
    const most = Math.max(20, (process.stderr.columns ?? 80) - width - 10);
    process.stderr.write(
      `\r\x1b[2K${bar} ${String(Math.round(100 * fraction)).padStart(3)} %  ${text.slice(0, most)}`,
    );
    this.drawn = true;
  }

  /** A lasting line, above the bar. */
  line(text: string): void {
    if (!this.lines) return;
    this.clear();
    process.stdout.write(`${text}\n`);
  }

  /** A result that an editor takes up before the end; nothing on a terminal. */
  event(name: string, value: unknown): void {
    if (process.env['KERNELSCOPE_PROGRESS'] !== '1' || this.live) return;
    const text = JSON.stringify(value, (_key, v: unknown) =>
      typeof v === 'number' && !Number.isFinite(v) ? null : v,
    );
    process.stderr.write(`@${name} ${text}\n`);
  }

  end(): void {
    this.clear();
  }

  private clear(): void {
    if (this.live && this.drawn) process.stderr.write('\r\x1b[2K');
    this.drawn = false;
  }
}
