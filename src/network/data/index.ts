import { type DataContext, type Dataset, withShiftedLabels } from './dataset.js';
import { loadDigits, loadMnist } from './images.js';
import type { DataSpec } from './spec.js';
import { loadGaussianMixture, loadTeacher } from './synthetic.js';
import { loadArrays, loadCsv } from './tabular.js';

export { type DataContext, type Dataset, type Split, targetsOf } from './dataset.js';

/** Reads or makes the data of a spec. Throws an InputError that names file, field and way out. */
export function loadData(spec: DataSpec, context: DataContext): Dataset {
  const data = read(spec, context);
  return context.sabotage === 'shifted-labels' ? withShiftedLabels(data) : data;
}

function read(spec: DataSpec, context: DataContext): Dataset {
  switch (spec.kind) {
    case 'mnist':
      return loadMnist(spec, context);
    case 'digits':
      return loadDigits(spec, context);
    case 'teacher':
      return loadTeacher(spec, context);
    case 'gaussianMixture':
      return loadGaussianMixture(spec, context);
    case 'csv':
      return loadCsv(spec, context);
    case 'npz':
    case 'npy':
      return loadArrays(spec, context);
  }
}
