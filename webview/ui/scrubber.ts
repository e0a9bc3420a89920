import { t } from '../strings.js';
import { button } from '../toolkit.js';
import { element } from './dom.js';

/** Chooses the step whose kernel, neurons and eigenvalues are shown; "live" follows the run. */
export class Scrubber {
  private steps: readonly number[] = [];
  private readonly slider = element('input', { type: 'range', min: '0', max: '0', value: '0', step: '1' });
  private readonly output = element('output', {});
  private readonly live: HTMLElement & { disabled: boolean };
  readonly root: HTMLElement;
  /** Chosen step; null follows the newest. */
  step: number | null = null;

  constructor(private readonly onChange: () => void) {
    this.slider.setAttribute('aria-label', t('Step shown'));
    this.live = button({
      label: t('Live'),
      title: t('Follow the newest step'),
      onClick: () => this.choose(null),
    });
    this.slider.addEventListener('input', () => {
      const index = Number(this.slider.value);
      this.choose(index >= this.steps.length - 1 ? null : this.steps[index]);
    });
    this.root = element('div', { class: 'scrubber' }, this.slider, this.output, this.live);
  }

  /** Steps at which arrays were measured, ascending. */
  setSteps(steps: readonly number[]): void {
    this.root.toggleAttribute('hidden', steps.length < 2);
    if (steps.length === this.steps.length && steps[steps.length - 1] === this.steps[this.steps.length - 1])
      return;
    this.steps = steps;
    this.slider.max = String(Math.max(0, steps.length - 1));
    this.show();
  }

  private choose(step: number | null): void {
    this.step = step;
    this.show();
    this.onChange();
  }

  private show(): void {
    const index = this.step === null ? this.steps.length - 1 : Math.max(0, this.steps.indexOf(this.step));
    this.slider.value = String(index);
    const text = t('step {0}', this.steps[index] ?? 0);
    this.output.textContent = this.step === null ? t('{0} (live)', text) : text;
    this.slider.setAttribute('aria-valuetext', this.output.textContent);
    this.live.disabled = this.step === null;
  }
}
