import { closeJob, currentOperation, enterJob, leaveJob, openJob, takeTask } from './control';
import { convolutionTask } from './convolve';
import { networkTask } from './network';
import { symmetricTask, updateTask } from './spectra';
import { gramTask, packTask, productTask } from './tasks';

export { beginColumn, endColumn, finishCorner, packPanel } from '../../../../core/linalg/wasm/assembly/tridiagonalise';
export { gather } from './spectra';

function work(thread: i32): void {
  const operation = currentOperation();
  while (true) {
    const task = takeTask();
    if (task < 0) return;
    if (operation == 0) packTask(task);
    else if (operation == 1) productTask(task);
    else if (operation == 2) gramTask(task, thread);
    else if (operation == 3) convolutionTask(task, thread);
    else if (operation == 4) networkTask(task, thread);
    else if (operation == 5) symmetricTask(task);
    else updateTask(task);
  }
}

/** Does the job that was written, with the help of the workers that come in time. */
export function run(workers: i32): void {
  openJob(workers);
  work(0);
  if (workers > 0) closeJob();
}

/** A worker's life. */
export function serve(thread: i32): void {
  let seen = 0;
  while (true) {
    seen = enterJob(seen);
    work(thread);
    leaveJob();
  }
}
