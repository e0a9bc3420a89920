import path from 'node:path';
import { train } from '../network/training/index.js';
import type { RunRequest } from '../protocol/trainerWire.js';
import { limitSpectrum } from './limitGhost.js';
import { prepare } from './prepare.js';

/** Goes the way of a run through loader, backend, data, network, kernel and step, with as little work as there is. */
const model = `import { defineExperiment, digits, twoLayer } from 'kernelscope';
export default defineExperiment({
  model: twoLayer({ width: 16 }),
  data: digits({ digits: [3, 8], train: 16, test: 4 }),
  steps: 3,
  probe: 8,
});
`;

/**
 * Starts the backend and runs a tiny experiment that is written nowhere: what has been run once is compiled, and the next
 * run finds it ready. Nothing of it is left that a run could see.
 */
export async function warmUp(request: Pick<RunRequest, 'backend' | 'nativePath'>): Promise<void> {
  const { experiment, data, built } = await prepare(
    {
      ...request,
      file: path.join(process.cwd(), 'ready.ts'),
      text: model,
      exportName: 'default',
      overrides: {},
    },
    () => undefined,
  );
  try {
    const run = train(
      { built, data, definition: experiment.definition },
      { onReady: ({ probeRows }) => void limitSpectrum(built, data, probeRows, {}) },
    );
    while (!(await run.next()).done);
  } finally {
    built.model.dispose();
  }
}
