export { type Comparison, compareRuns } from './compare.js';
export { type PageParts, reportPage } from './embed.js';
export { type ExportFormat, exportFormats, exportName, exportRun } from './export.js';
export { checkpointPath, files, type RunFile, runSchemaVersion, snapshotPath } from './layout.js';
export {
  framesOf,
  lastCheckpoint,
  listRuns,
  readLines,
  readRun,
  readRunFile,
  readSnapshots,
  type StoredRun,
} from './reader.js';
export { deleteRun, editRun, RunWriter, writeAtomically } from './writer.js';
