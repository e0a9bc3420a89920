import { Worker } from 'node:worker_threads';

/** Milliseconds between looks at the parent, and how long a run may take to end in order once it is gone. */
const look = 1000;
const grace = 4000;

const program = `
const { workerData } = require('node:worker_threads');
const gone = () => {
  if (process.ppid !== workerData.parent) return true;
  try { process.kill(workerData.parent, 0); return false; } catch (error) { return error.code !== 'EPERM'; }
};
const timer = setInterval(() => {
  if (!gone()) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData.grace);
}, workerData.look);
`;

let started = false;

/**
 * Ends this process when its parent is gone and the main thread does not notice, because code of the user loops for
 * ever. A thread of its own does the looking; it holds nothing open.
 */
export function watchParent(): void {
  if (started) return;
  started = true;
  new Worker(program, {
    eval: true,
    workerData: { parent: process.ppid, look, grace },
    stdin: false,
  }).unref();
}
