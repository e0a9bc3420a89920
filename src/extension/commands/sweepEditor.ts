import * as vscode from 'vscode';
import { expandVary } from '../../experiment/overrides.js';
import type { RunFile } from '../../runs/index.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { sweepCost } from './sweepCost.js';

interface Field {
  readonly path: string;
  readonly values: string;
  readonly meaning: string;
}

/** Fields that are worth varying, with values to begin with. */
const fields = (): readonly Field[] => [
  {
    path: 'model.width',
    values: settings.sweepWidths.join(','),
    meaning: vscode.l10n.t('Neurons of each hidden layer: how fast the kernel limit is reached'),
  },
  {
    path: 'model.scale',
    values: '1,4,16,64',
    meaning: vscode.l10n.t('Output scale α of a two-layer network: rich at 1, lazy at √m'),
  },
  { path: 'seed', values: '0..4', meaning: vscode.l10n.t('Start, data subset and batches; joined as bands') },
  {
    path: 'optimizer.learningRate',
    values: '0.01,0.03,0.1,0.3',
    meaning: vscode.l10n.t('Step size of gradient descent'),
  },
  { path: 'steps', values: '200,1000,5000', meaning: vscode.l10n.t('Length of the training') },
  {
    path: 'data.train',
    values: '32,64,128,256',
    meaning: vscode.l10n.t('Number of training inputs'),
  },
  {
    path: 'model.activation',
    values: 'tanh,relu,gelu',
    meaning: vscode.l10n.t('Nonlinearity of the hidden neurons'),
  },
];

/** Words for a length of time: seconds below two minutes, minutes below two hours. */
export function duration(seconds: number): string {
  if (seconds < 120) return vscode.l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  if (seconds < 7200) return vscode.l10n.t('{0} min', Math.round(seconds / 60));
  return vscode.l10n.t('{0} h', Math.round(seconds / 3600));
}

/** How many runs a grid has and how long they take together, as a sentence. */
export function costWords(vary: readonly string[], last: RunFile | undefined): string {
  const { cells, seconds } = sweepCost(vary, last);
  if (seconds === null)
    return vscode.l10n.t(
      '{0} runs; how long they take is known after a first run of this experiment.',
      cells,
    );
  return vscode.l10n.t(
    '{0} runs, about {1} judging by the last run ({2} at a time)',
    cells,
    duration(seconds / settings.sweepJobs),
    settings.sweepJobs,
  );
}

const problemOf = (path: string, values: string): string | null => {
  try {
    expandVary(`${path}=${values}`);
    return values.trim() === '' ? vscode.l10n.t('Write values with commas between, or a range a..b.') : null;
  } catch (error) {
    return spoken((error as Error).message);
  }
};

async function askValues(path: string, values: string): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Values of {0}', path),
    prompt: vscode.l10n.t('a,b,c or a range a..b of whole numbers'),
    value: values,
    validateInput: (text) => problemOf(path, text),
  });
}

async function addAxis(taken: ReadonlySet<string>): Promise<[string, string] | undefined> {
  const other = vscode.l10n.t('Another field…');
  const items = [
    ...fields()
      .filter((f) => !taken.has(f.path))
      .map((f) => ({ label: f.path, description: f.values, detail: f.meaning, field: f })),
    { label: other, field: null },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Vary which field?') });
  if (!chosen) return undefined;
  const path =
    chosen.field?.path ??
    (await vscode.window.showInputBox({
      title: vscode.l10n.t('Which field?'),
      prompt: vscode.l10n.t('Its path in the definition, such as optimizer.momentum'),
      validateInput: (text) =>
        /^[A-Za-z][\w.]*$/.test(text) ? null : vscode.l10n.t('A path has names with dots between.'),
    }));
  if (!path) return undefined;
  const values = await askValues(path, chosen.field?.values ?? '');
  return values === undefined ? undefined : [path, values];
}

type Item = vscode.QuickPickItem & { readonly act: 'start' | 'add' | 'axis'; readonly path?: string };

/** One look at the grid: what the user chose to do next, and with which axis. */
function showGrid(
  title: string,
  axes: ReadonlyMap<string, string>,
  cost: string,
): Promise<{ act: 'start' | 'add' | 'edit' | 'remove' | 'leave'; path?: string }> {
  const remove: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('trash'),
    tooltip: vscode.l10n.t('Do not vary it'),
  };
  const picker = vscode.window.createQuickPick<Item>();
  picker.title = title;
  picker.placeholder = cost;
  const separator = (label: string): Item => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
    act: 'axis',
  });
  picker.items = [
    ...(axes.size > 0
      ? [{ label: `$(play) ${vscode.l10n.t('Start the sweep')}`, detail: cost, act: 'start' as const }]
      : []),
    separator(vscode.l10n.t('grid')),
    ...[...axes].map(([path, values]) => ({
      label: path,
      description: values,
      act: 'axis' as const,
      path,
      buttons: [remove],
    })),
    { label: `$(add) ${vscode.l10n.t('Vary another field…')}`, act: 'add' as const },
  ];
  return new Promise((resolve) => {
    picker.onDidTriggerItemButton(({ item }) => {
      resolve({ act: 'remove', path: item.path });
      picker.hide();
    });
    picker.onDidAccept(() => {
      const [item] = picker.selectedItems;
      if (!item) return;
      resolve({ act: item.act === 'axis' ? 'edit' : item.act, path: item.path });
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve({ act: 'leave' });
      picker.dispose();
    });
    picker.show();
  });
}

/** Lets the user put a grid together, with its cost in sight. The axes as `path=values`, undefined when the user left. */
export async function editGrid(
  title: string,
  start: Readonly<Record<string, string>>,
  last: RunFile | undefined,
): Promise<string[] | undefined> {
  const axes = new Map(Object.entries(start));
  const vary = () => [...axes].map(([path, values]) => `${path}=${values}`);
  for (;;) {
    const { act, path } = await showGrid(title, axes, axes.size > 0 ? costWords(vary(), last) : '');
    if (act === 'leave') return undefined;
    if (act === 'start') return vary();
    if (act === 'add') {
      const added = await addAxis(new Set(axes.keys()));
      if (added) axes.set(...added);
    }
    if (act === 'remove' && path) axes.delete(path);
    if (act === 'edit' && path) {
      const values = await askValues(path, axes.get(path) ?? '');
      if (values !== undefined) axes.set(path, values);
    }
  }
}
