import { formatCount, formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { element } from './dom.js';

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** A second, smaller line. */
  readonly note: string;
  readonly title?: string;
  /** Marks a value that wants attention. */
  readonly alarm?: boolean;
}

/** Highest time with diagnostics over time without that needs no remark. */
export const taxBar = 1.1;

/** Time with diagnostics over time without, from the share of the time that they take. */
export const monitoringTax = (share: number | null): number | null =>
  share === null || !(share < 1) ? null : 1 / (1 - share);

/** The figures of a run that are read first. */
export function factsOf(run: RunData): readonly Fact[] {
  const { info } = run;
  const test = run.last('testLoss');
  const maxStep = run.last('maxStep');
  const lambda = run.last('lambdaMax');
  const tax = monitoringTax(run.last('tax'));
  const accuracy = run.last('accuracy');
  const movement = run.last('movement');
  return [
    {
      name: t('step'),
      value: formatCount(run.last('step') ?? 0),
      note: info.steps === undefined ? '' : t('of {0}', formatCount(info.steps)),
    },
    {
      name: t('training loss'),
      value: formatNumber(run.last('loss')),
      note: test === null ? '' : t('test {0}', formatNumber(test)),
    },
    ...(accuracy === null
      ? []
      : [
          {
            name: t('test accuracy'),
            value: formatPercent(accuracy),
            note:
              run.last('trainAccuracy') === null
                ? ''
                : t('training {0}', formatPercent(run.last('trainAccuracy'))),
          },
        ]),
    {
      name: t('kernel drift'),
      value: formatPercent(run.last('drift')),
      note: movement === null ? '' : t('weights moved {0}', formatPercent(movement)),
      title: t('How far the kernel is from its start, relative to the start'),
    },
    {
      name: t('largest eigenvalue'),
      value: formatNumber(lambda),
      note: t('{0} probe inputs', info.probe.size),
    },
    ...(info.learningRate === undefined
      ? []
      : [
          {
            name: t('step size η'),
            value: formatNumber(info.learningRate),
            note: maxStep === null ? '' : t('stable below {0}', formatNumber(maxStep, 3)),
            alarm: maxStep !== null && info.learningRate > maxStep,
          },
        ]),
    {
      name: t('monitoring'),
      value: tax === null ? '–' : `× ${tax.toFixed(2)}`,
      note: run.throttled
        ? t('throttled')
        : tax !== null && tax > taxBar
          ? t('above {0}', taxBar)
          : t('of the time without'),
      title: t('Time of the run with all diagnostics, divided by the time without them'),
    },
    {
      name: t('parameters'),
      value: formatCount(info.parameters),
      note: t('{0} backend', info.backend.name),
      title: info.backend.why,
    },
  ];
}

/** Figures side by side; the nodes stay, so that only what changes is written. */
export class Facts {
  readonly root = element('dl', { class: 'facts' });

  update(facts: readonly Fact[]): void {
    while (this.root.children.length > facts.length) this.root.lastElementChild?.remove();
    while (this.root.children.length < facts.length)
      this.root.append(
        element('div', {}, element('dt', {}), element('dd', {}), element('dd', { class: 'note' })),
      );
    for (const [i, fact] of facts.entries()) {
      const cell = this.root.children[i] as HTMLElement;
      for (const [k, text] of [fact.name, fact.value, fact.note].entries())
        if (cell.children[k].textContent !== text) cell.children[k].textContent = text;
      cell.classList.toggle('alarm', fact.alarm === true);
      cell.title = fact.title ?? '';
    }
  }
}
