export * from './builders.js';
export type * from './definition.js';
export { chooseExport, type LoadedExport, loadModelFile } from './load.js';
export { applyOverrides, argsOf, expandVary, mostValues, parseOverride } from './overrides.js';
export { type ResolvedExperiment, type ResolveRequest, resolveExperiment, resolver } from './resolve.js';
export { resolveDefinition } from './schema.js';
