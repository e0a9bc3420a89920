/** Holds the training loop between two steps while the run is paused, and lets single steps through. */
export class PauseGate {
  private paused: boolean;
  private allowed = 0;
  private told = false;
  private wake: (() => void) | null = null;

  constructor(
    startPaused: boolean,
    private readonly tell: {
      readonly paused: (step: number) => void;
      readonly resumed: (step: number) => void;
    },
  ) {
    this.paused = startPaused;
  }

  /** Resolves when the step may be taken. */
  async wait(step: number): Promise<void> {
    while (this.paused) {
      if (this.allowed > 0) {
        this.allowed--;
        this.told = false;
        return;
      }
      if (!this.told) this.tell.paused(step);
      this.told = true;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.told) this.tell.resumed(step);
    this.told = false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake?.();
  }

  step(count: number): void {
    this.paused = true;
    this.allowed += count;
    this.wake?.();
  }
}
