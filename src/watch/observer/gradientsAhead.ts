import { patchGradients } from '../../network/backends/gradients.js';
import { imported } from './importing.js';

// Right gradients for our looks: the repaired ones, on top of those that the second copy registered.
imported(patchGradients);
