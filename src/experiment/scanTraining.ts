import { blankedCode } from './scan.js';

/** A place where a program trains: `model.fit(...)` and its like. */
export interface ScannedTraining {
  /** `fit`, `fitDataset`, `trainOnBatch`, `minimize` or `applyGradients`. */
  readonly name: string;
  /** Of the line it stands on. */
  readonly start: number;
}

const trains = /[\w$)\]!?]\s*\??\.\s*(fit|fitDataset|trainOnBatch|minimize|applyGradients)\s*\(/g;
const usesTensorFlow = /@tensorflow\/tfjs|\btf\s*\.\s*(?:train|layers|sequential|model|variable)\b/;

/** Where the code of a file trains with TensorFlow.js; one place a line. Empty for files that do not use it. */
export function scanTrainings(text: string): ScannedTraining[] {
  if (!usesTensorFlow.test(text)) return [];
  const code = blankedCode(text);
  const found = new Map<number, ScannedTraining>();
  for (const match of code.matchAll(trains)) {
    const start = code.lastIndexOf('\n', match.index + match[0].length - 1) + 1;
    if (!found.has(start)) found.set(start, { name: match[1], start });
  }
  return [...found.values()];
}
