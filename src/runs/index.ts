export { type Comparison, compareRuns } from './compare.js';
export { changedFields, leavesOf } from './definitions.js';
export { type PageParts, reportPage } from './embed.js';
export { type ExportFormat, exportFormats, exportName, exportRun } from './export.js';
export {
  changedAt,
  checkpointPath,
  files,
  type RunFile,
  runSchemaVersion,
  snapshotPath,
  sourceHash,
} from './layout.js';
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
export { lossSketch } from './sketch.js';
export { doneCells, readSweepFile, type SweepFile, type SweepRequest, sweepFiles } from './sweepFile.js';
export { deleteRun, editRun, RunWriter, writeAtomically } from './writer.js';
