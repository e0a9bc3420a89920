export { type Comparison, compareRuns } from './compare.js';
export {
  type ControlFile,
  type ControlWord,
  canSteer,
  removeControl,
  sendWord,
  writeControl,
} from './control.js';
export { changedFields, leavesOf } from './definitions.js';
export { type PageParts, reportPage } from './embed.js';
export { type ExportFormat, exportFormats, exportName, exportRun } from './export.js';
export { cleanLeftovers, writeAtomically } from './files/durable.js';
export { WriteError, writeError, writing } from './files/failure.js';
export { FolderLock, ownerOf } from './files/lock.js';
export { ownIdentity } from './files/process.js';
export { importRun } from './importRun.js';
export {
  changedAt,
  checkpointPath,
  type Fingerprint,
  files,
  interruptPath,
  type RunFile,
  runIdOf,
  runSchemaVersion,
  snapshotPath,
  sourceHash,
  timedName,
} from './layout.js';
export {
  checkpointsOf,
  type DamagedRun,
  damagedRuns,
  lastCheckpoint,
  listRuns,
  readLines,
  readRun,
  readRunFile,
  readSnapshots,
  type StoredRun,
} from './reader.js';
export { framesOf } from './rows.js';
export { deleteRun, editRun } from './runJson.js';
export { lossSketch } from './sketch.js';
export { doneCells, readSweepFile, type SweepFile, type SweepRequest, sweepFiles } from './sweepFile.js';
export { type RunNews, RunTail } from './tail.js';
export { claimRun, type Marks, type ResumePoint, RunWriter, reaches } from './writer.js';
