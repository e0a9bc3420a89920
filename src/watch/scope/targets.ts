import { type Matrix, matrixFrom } from '../../core/linalg/matrix.js';
import type { CopiedTensor } from '../preload/foreign.js';

/** Targets as [N, O]; class numbers become ones and zeros. Null where they have another form. */
export function targetMatrix(targets: CopiedTensor | null, n: number, outputs: number): Matrix | null {
  if (!targets || targets.shape[0] !== n) return null;
  const values = Float64Array.from(targets.values);
  if (values.length === n * outputs) return matrixFrom(n, outputs, values);
  if (values.length !== n) return null;
  const classes = new Float64Array(n * outputs);
  for (const [i, value] of values.entries()) {
    if (!Number.isInteger(value) || value < 0 || value >= outputs) return null;
    classes[i * outputs + value] = 1;
  }
  return matrixFrom(n, outputs, classes);
}

/** The class of each sample where targets are ones and zeros, the value where there is one; else none. */
export function labelsOf({ rows, cols, data }: Matrix): number[] {
  if (cols === 1) return Array.from(data);
  const labels: number[] = [];
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    const top = row.indexOf(1);
    if (top < 0 || row.some((v, o) => v !== (o === top ? 1 : 0))) return [];
    labels.push(top);
  }
  return labels;
}
