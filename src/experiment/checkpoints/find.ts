import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';

export type CheckpointKind = 'model' | 'npz' | 'safetensors';

/** One saved state of a network. */
export interface CheckpointFile {
  /** What tells it from the others: its file or folder. */
  readonly name: string;
  /** The file: a model.json, an .npz, a .safetensors. */
  readonly file: string;
  readonly kind: CheckpointKind;
}

export interface FoundCheckpoints {
  readonly checkpoints: readonly CheckpointFile[];
  /** Entries of the folder that are no checkpoints. */
  readonly others: readonly string[];
}

/**
 * The checkpoints of a folder, in the order of the numbers in their names: folders with a model.json (as `model.save`
 * writes them), layers models as .json files, .npz and .safetensors files. Throws an InputError where there are none.
 */
export function findCheckpoints(folder: string): FoundCheckpoints {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new InputError(
      `${folder} could not be read as a folder (${(error as NodeJS.ErrnoException).code}).`,
      {
        file: folder,
      },
    );
  }
  const checkpoints: CheckpointFile[] = [];
  const others: string[] = [];
  for (const name of names.filter((n) => !n.startsWith('.')).sort(byNumbers)) {
    const place = path.join(folder, name);
    const inside = path.join(place, 'model.json');
    if (statSync(place).isDirectory() && existsSync(inside))
      checkpoints.push({ name, file: inside, kind: 'model' });
    else if (/\.npz$/i.test(name)) checkpoints.push({ name, file: place, kind: 'npz' });
    else if (/\.safetensors$/i.test(name)) checkpoints.push({ name, file: place, kind: 'safetensors' });
    else if (/\.json$/i.test(name) && !/^(?:config|package|run|training)/i.test(name))
      checkpoints.push({ name, file: place, kind: 'model' });
    else if (!/\.(?:bin|md|txt|csv|log|py)$/i.test(name)) others.push(name);
  }
  if (checkpoints.length === 0)
    throw new InputError(
      `${folder} holds no checkpoints${others.length > 0 ? ` (it has ${listed(others, 5)})` : ''}. Read are folders with a model.json as model.save writes them, layers models as .json, .npz and .safetensors files.`,
      { file: folder },
    );
  return { checkpoints, others };
}

/** Orders names by their parts: texts by the alphabet, numbers by their size (step-2 before step-10). */
function byNumbers(a: string, b: string): number {
  const [as, bs] = [a, b].map((name) => name.split(/(\d+)/));
  for (let i = 0; i < Math.max(as.length, bs.length); i++) {
    const [x, y] = [as[i] ?? '', bs[i] ?? ''];
    const order = i % 2 === 1 && x !== '' && y !== '' ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}
