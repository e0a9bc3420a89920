import type { FromView } from '../../src/protocol/viewWire.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { type Button, button } from '../toolkit.js';
import { element } from './dom.js';
import { Facts, factsOf } from './facts.js';

export type CommandName = Extract<FromView, { type: 'command' }>['name'];

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
  private readonly verdict = element('p', { class: 'verdictLine' });
  private readonly progress = element('progress', {
    max: '1',
    value: '0',
    'aria-label': t('Progress of the run'),
  });
  private readonly facts = new Facts();
  private readonly message = element('p', { class: 'message', role: 'alert' });
  private readonly buttons: Record<'pause' | 'resume' | 'step' | 'stop' | 'compare' | 'report', Button>;
  readonly root: HTMLElement;

  constructor(command: ((name: CommandName) => void) | null) {
    const send = (name: CommandName) => () => command?.(name);
    this.buttons = {
      pause: button({ label: t('Pause'), icon: 'pause', onClick: send('pause') }),
      resume: button({ label: t('Resume'), icon: 'play', appearance: 'primary', onClick: send('resume') }),
      step: button({
        label: t('Step'),
        icon: 'step',
        title: t('Train one step, then pause'),
        onClick: send('step'),
      }),
      stop: button({ label: t('Stop'), icon: 'stop', onClick: send('stop') }),
      compare: button({
        label: t('Compare'),
        icon: 'compare',
        title: t('Lay other runs over this one'),
        onClick: send('compare'),
      }),
      report: button({
        label: t('Report'),
        icon: 'report',
        title: t('Write a self-contained HTML report'),
        onClick: send('report'),
      }),
    };
    this.root = element(
      'header',
      { class: 'run' },
      element(
        'div',
        { class: 'top' },
        element('div', { class: 'line' }, this.title, this.status, this.regime),
        element(
          'div',
          { class: 'buttons', role: 'toolbar', 'aria-label': t('Run'), hidden: command === null },
          ...Object.values(this.buttons),
        ),
      ),
      this.verdict,
      this.progress,
      this.message,
      this.facts.root,
    );
  }

  update(run: RunData | undefined): void {
    this.root.toggleAttribute('hidden', !run);
    if (!run) return;
    setText(this.title, run.label);
    setText(this.status, statusWords[run.status]?.() ?? run.status);
    this.status.dataset['status'] = run.status;
    const verdict = run.regime;
    const known = verdict !== undefined && verdict.regime !== 'undetermined';
    this.regime.hidden = !known;
    this.verdict.hidden = !known;
    if (known) {
      setText(this.regime, t('regime: {0}', t(verdict.regime)));
      this.regime.dataset['regime'] = verdict.regime;
      setText(this.verdict, verdict.reasons[0] ?? '');
    }
    this.buttons.pause.hidden = run.status !== 'running';
    this.buttons.resume.hidden = run.status !== 'paused' && run.status !== 'interrupted';
    this.buttons.step.hidden = run.status !== 'paused';
    this.buttons.stop.hidden = !run.live;
    this.buttons.report.hidden = run.live;
    const { steps } = run.info;
    this.progress.hidden = !run.live || steps === undefined;
    this.progress.value = steps ? (run.last('step') ?? 0) / steps : 0;
    this.facts.update(factsOf(run));
    setText(this.message, run.ended?.message ?? '');
    this.message.hidden = !run.ended?.message;
  }
}

function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
