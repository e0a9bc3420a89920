/**
 * The trainer: a child process that does everything numerical. It is started with an IPC channel, does one thing at a
 * time (a run, or an inspection), and leaves when its parent is gone.
 */
import { InputError } from '../core/errors.js';
import { type FromHost, type FromTrainer, trainerWireVersion } from '../protocol/trainerWire.js';
import { Sender, trainerReceiver } from '../protocol/validate.js';
import { Inspector } from './inspect.js';
import { PauseGate } from './pause.js';
import { Pump } from './pump.js';
import { runSession } from './session.js';
import { warmUp } from './warmUp.js';
import { watchParent } from './watchdog.js';

const sender = new Sender<FromTrainer>();
const receiver = trainerReceiver();

function send(message: FromTrainer): void {
  // The parent may be gone between two messages; then the disconnect handler ends this process.
  if (process.connected) process.send?.(sender.seal(message), undefined, undefined, () => undefined);
}

function sendError(error: unknown, id?: number): void {
  const place = error instanceof InputError ? error.place : {};
  send({ type: 'error', id, message: error instanceof Error ? error.message : String(error), ...place });
}

const pump = new Pump(send);
const inspector = new Inspector();
let gate: PauseGate | null = null;
let abort: AbortController | null = null;
let leaving = false;
/** Model file of the run that goes on, or went on last. */
let running: string | null = null;
/** Being made ready; a run that comes meanwhile waits for its end. */
let warming: Promise<void> | null = null;

async function run(message: Extract<FromHost, { type: 'run' }>): Promise<void> {
  if (abort) {
    sendError(new Error('This trainer is busy with a run; start another one.'));
    return;
  }
  watchParent();
  const control = new AbortController();
  const pauses = new PauseGate(message.request.paused ?? false, {
    paused: (step) => send({ type: 'paused', step }),
    resumed: (step) => send({ type: 'resumed', step }),
  });
  abort = control;
  gate = pauses;
  running = message.request.file;
  try {
    await warming;
    const { ended } = await runSession(
      message.request,
      {
        progress: (stage) => send({ type: 'progress', stage }),
        started: (info, loss) => send({ type: 'started', info, loss }),
        record: (record) => pump.push(record),
        gate: (step) => pauses.wait(step),
      },
      control.signal,
    );
    pump.flush(true);
    send({ type: 'finished', ended });
  } catch (error) {
    pump.flush(true);
    sendError(error);
  } finally {
    abort = null;
    gate = null;
    if (leaving) process.exit(0);
  }
}

async function inspect(message: Extract<FromHost, { type: 'inspect' }>): Promise<void> {
  watchParent();
  try {
    await warming;
    const result = await inspector.inspect(message.id, message.request);
    if (result) send({ type: 'inspected', id: message.id, result });
    else sendError(new Error('A newer inspection was asked for.'), message.id);
  } catch (error) {
    sendError(error, message.id);
  }
}

/** Milliseconds a run has to write its last checkpoint when nobody listens any more. */
const farewell = 3000;

/** Leaves; a run that goes on ends as interrupted, with a checkpoint to go on from. */
function leave(): void {
  if (!abort) process.exit(0);
  leaving = true;
  gate?.resume();
  abort.abort('interrupted');
  setTimeout(() => process.exit(0), farewell);
}

function handle(message: FromHost): void {
  switch (message.type) {
    case 'hello':
      return;
    case 'run':
      void run(message);
      return;
    case 'warm':
      // What is wrong with the backend is told to the run that asks for it.
      warming = warmUp(message.request).catch(() => undefined);
      return;
    case 'inspect':
      void inspect(message);
      return;
    case 'cancelInspect':
      inspector.cancel(message.id);
      return;
    case 'ack':
      pump.acknowledge();
      return;
    case 'pause':
      gate?.pause();
      return;
    case 'resume':
      gate?.resume();
      return;
    case 'step':
      gate?.step(message.count);
      return;
    case 'stop':
      gate?.resume();
      abort?.abort();
      return;
    case 'shutdown':
      leave();
  }
}

process.on('message', (value) => {
  try {
    handle(receiver.open(value));
  } catch (error) {
    sendError(error);
  }
});
/** Code of a model file may fail when nobody waits for it: in a timer, in a promise that nobody has taken. */
function failedOutside(error: unknown): void {
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  const text = `${running ?? 'The model file'}: code that it started failed on its own (${message}), outside of what was called. Catch the error there, or take that code out.`;
  pump.flush(true);
  sendError(new InputError(text, running ? { file: running } : {}));
  // What is on its way is sent before the process ends; a run that goes on stays to be gone on with.
  setTimeout(() => process.exit(1), 100);
}
process.on('uncaughtException', failedOutside);
process.on('unhandledRejection', failedOutside);
process.on('disconnect', leave);
// A terminal sends Ctrl-C to the whole group; the parent decides how a run ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  if (!abort) process.exit(143);
  gate?.resume();
  abort.abort();
});
send({ type: 'hello', version: trainerWireVersion, node: process.versions.node, pid: process.pid });
