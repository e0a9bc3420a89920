import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { placed } from './loading/errors.js';
import { exportsOf, type LoadedExport } from './loading/exports.js';
import { runForeign } from './loading/foreignCode.js';
import { evaluate, scripts } from './loading/modules.js';

export { placed } from './loading/errors.js';
export { chooseExport, type LoadedExport } from './loading/exports.js';
export { loadedFiles } from './loading/modules.js';

export interface LoadOptions {
  /** Text of the file when it differs from the disk (unsaved changes). */
  readonly text?: string;
}

/**
 * Loads a TypeScript or JavaScript model file of the workspace: ESM or CommonJS, waiting at its top level or not, with
 * imports of other workspace files and of its packages. 'kernelscope' and '@tensorflow/tfjs' are our own copies; a backend
 * must run already. Errors name the place in the user's file.
 */
export async function loadModelFile(
  file: string,
  options: LoadOptions = {},
): Promise<readonly LoadedExport[]> {
  const absolute = path.resolve(file);
  if (options.text === undefined && !existsSync(absolute))
    throw new InputError(`${absolute} does not exist. Give the path of a model file.`, { file: absolute });
  if (!scripts.includes(path.extname(absolute)))
    throw new InputError(
      `${absolute} is no model file: it must end with ${scripts.join(', ')}, or be a layers model.json.`,
      { file: absolute },
    );
  try {
    return exportsOf(
      await runForeign(absolute, true, (refused) => evaluate(absolute, options.text, refused)),
    );
  } catch (error) {
    throw placed(absolute, error, true);
  }
}
