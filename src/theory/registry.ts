import type { Claim } from './claim.js';
import { lazyWidth } from './claims/lazyWidth.js';

/** Every claim, in the order of the survey's themes. */
export const claims: readonly Claim[] = [lazyWidth];
