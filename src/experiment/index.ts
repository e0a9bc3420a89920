export * from './builders.js';
export type * from './definition.js';
export { chooseExport, type LoadedExport, loadModelFile } from './load.js';
export { applyOverrides, argsOf, expandVary, parseOverride } from './overrides.js';
export { type ResolvedExperiment, type ResolveRequest, resolveExperiment } from './resolve.js';
export { resolveDefinition } from './schema.js';
