/**
 * What a model file exports: the plain value behind every run. Every field can be overridden from the
 * command line (`--set model.width=4096`), which is also how sweeps work.
 *
 * The values are described where they are used, in `network`; `schema.ts` checks them and explains what is wrong with them.
 */

export * from '../network/data/spec.js';
export * from '../network/models/spec.js';
export * from '../network/training/spec.js';
