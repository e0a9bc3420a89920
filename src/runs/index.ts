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
