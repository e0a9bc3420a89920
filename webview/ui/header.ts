import type { FromView } from '../../src/protocol/viewWire.js';
import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { button } from '../toolkit.js';
import { element } from './dom.js';

type CommandName = Extract<FromView, { type: 'command' }>['name'];

const statusWords: Readonly<Record<string, () => string>> = {
  running: () => t('running'),
  paused: () => t('paused'),
  finished: () => t('finished'),
  stopped: () => t('stopped'),
  diverged: () => t('diverged'),
  failed: () => t('failed'),
  interrupted: () => t('interrupted'),
};

/** Title, state, figures and buttons of the run in front. */
export class Header {
  private readonly title = element('h1', {});
  private readonly status = element('span', { class: 'badge' });
  private readonly regime = element('span', { class: 'badge regime' });
  private readonly progress = element('progress', {
    max: '1',
    value: '0',
    'aria-label': t('Progress of the run'),
  });
  private readonly facts = element('dl', { class: 'facts' });
  private readonly message = element('p', { class: 'message', role: 'alert' });
  private readonly buttons: Record<
    'pause' | 'resume' | 'step' | 'stop' | 'report',
    HTMLElement & { disabled: boolean }
  >;
  readonly root: HTMLElement;

  constructor(command: ((name: CommandName) => void) | null) {
    const send = (name: CommandName) => () => command?.(name);
    this.buttons = {
      pause: button({ label: t('Pause'), onClick: send('pause') }),
      resume: button({ label: t('Resume'), appearance: 'primary', onClick: send('resume') }),
      step: button({ label: t('Step'), title: t('Train one step, then pause'), onClick: send('step') }),
      stop: button({ label: t('Stop'), onClick: send('stop') }),
      report: button({
        label: t('Report'),
        title: t('Write a self-contained HTML report'),
        onClick: send('report'),
      }),
    };
    this.root = element(
      'header',
      { class: 'run' },
      element('div', { class: 'line' }, this.title, this.status, this.regime),
      element(
        'div',
        { class: 'buttons', role: 'toolbar', 'aria-label': t('Run'), hidden: command === null },
        ...Object.values(this.buttons),
      ),
      this.progress,
      this.facts,
      this.message,
    );
  }

  update(run: RunData | undefined): void {
    this.root.toggleAttribute('hidden', !run);
    if (!run) return;
    const live = run.status === 'running' || run.status === 'paused';
    setText(this.title, run.label);
    setText(this.status, statusWords[run.status]?.() ?? run.status);
    this.status.dataset['status'] = run.status;
    const verdict = run.regime;
    this.regime.hidden = !verdict;
    if (verdict) {
      setText(this.regime, t('regime: {0}', t(verdict.regime)));
      this.regime.title = verdict.reasons.join('\n');
    }
    this.buttons.pause.hidden = run.status !== 'running';
    this.buttons.resume.hidden = run.status !== 'paused' && run.status !== 'interrupted';
    this.buttons.step.hidden = run.status !== 'paused';
    this.buttons.stop.hidden = !live;
    this.buttons.report.hidden = live;
    this.progress.hidden = !live;
    this.progress.value = run.info.steps > 0 ? (run.last('step') ?? 0) / run.info.steps : 0;
    this.fillFacts(run);
    setText(this.message, run.ended?.message ?? '');
    this.message.hidden = !run.ended?.message;
  }

  private fillFacts(run: RunData): void {
    const facts: readonly [string, string][] = [
      [t('step'), `${formatNumber(run.last('step') ?? 0)} / ${formatNumber(run.info.steps)}`],
      [t('training loss'), formatNumber(run.last('loss'))],
      [t('test loss'), formatNumber(run.last('testLoss'))],
      [t('accuracy'), formatPercent(run.last('accuracy'))],
      [t('kernel drift'), formatNumber(run.last('drift'))],
      [t('step size'), formatNumber(run.info.learningRate)],
      [t('parameters'), run.info.parameters.toLocaleString()],
      [t('backend'), run.info.backend.name],
    ];
    while (this.facts.children.length < facts.length)
      this.facts.append(element('div', {}, element('dt'), element('dd')));
    for (const [i, [name, value]] of facts.entries()) {
      const cell = this.facts.children[i];
      setText(cell.children[0], name);
      setText(cell.children[1], value);
    }
    (this.facts.lastElementChild as HTMLElement).title = run.info.backend.why;
  }
}

function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
