/**
 * Many reasons to draw, one drawing a frame. Targets that are not on screen wait until they are (their owner calls
 * `request` again when it becomes visible).
 */
export class FrameScheduler {
  private readonly wanted = new Set<() => void>();
  private pending = false;
  /** Draw times of the last frames in milliseconds, newest last; for the frame-rate test and the status line. */
  readonly drawTimes: number[] = [];

  request(draw: () => void): void {
    this.wanted.add(draw);
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => this.run());
  }

  private run(): void {
    this.pending = false;
    const draws = [...this.wanted];
    this.wanted.clear();
    const start = performance.now();
    for (const draw of draws) draw();
    this.drawTimes.push(performance.now() - start);
    if (this.drawTimes.length > 600) this.drawTimes.splice(0, 300);
  }
}
