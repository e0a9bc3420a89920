import { say } from '../core/say.js';
import { type Envelope, type FromHost, type FromTrainer, trainerWireVersion } from './trainerWire.js';
import { type FromView, viewWireVersion } from './viewWire.js';

/**
 * Run-time checks of what comes in over a wire: the type is known, the fields that code relies on are there, the version
 * and the order are right. Written by hand: the arrays inside are large, and the extension's bundle is small.
 */
type Check = (value: unknown) => boolean;

const isString: Check = (v) => typeof v === 'string';
const isNumber: Check = (v) => typeof v === 'number';
const isCount: Check = (v) => Number.isInteger(v) && (v as number) >= 0;
const isObject: Check = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const isArray: Check = (v) => Array.isArray(v);
const isFrame: Check = (v) =>
  isObject(v) &&
  (v as { step?: unknown }).step instanceof Float64Array &&
  isObject((v as { columns?: unknown }).columns);
const optional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v);

type Shape = Readonly<Record<string, Check>>;

const fromTrainer: Readonly<Record<FromTrainer['type'], Shape>> = {
  hello: { version: isNumber, node: isString, pid: isCount },
  progress: { stage: isString, fraction: optional(isNumber) },
  started: { info: isObject, loss: (v) => v === null || isNumber(v) },
  frame: { frame: isCount, metrics: isFrame, snapshots: isArray, events: isArray },
  paused: { step: isCount },
  resumed: { step: isCount },
  finished: { ended: isObject },
  inspected: { id: isCount, result: isObject },
  error: {
    message: isString,
    id: optional(isCount),
    field: optional(isString),
    file: optional(isString),
    line: optional(isNumber),
    column: optional(isNumber),
  },
};

const fromHost: Readonly<Record<FromHost['type'], Shape>> = {
  hello: { version: isNumber },
  run: { request: isObject },
  warm: { request: isObject },
  inspect: { id: isCount, request: isObject },
  cancelInspect: { id: isCount },
  ack: { frame: isCount },
  pause: {},
  resume: {},
  step: { count: isCount },
  stop: {},
  shutdown: {},
};

const fromView: Readonly<Record<FromView['type'], Shape>> = {
  ready: { version: isNumber },
  ack: { run: isString, seq: isCount },
  command: { name: isString, run: isString },
  hide: { run: isString },
  export: { name: isString, mime: isString, data: (v) => v instanceof ArrayBuffer },
  copy: { text: isString },
  problem: { text: isString },
};

/** Why a message is refused, or null. */
function problemOf(value: unknown, shapes: Readonly<Record<string, Shape>>, wire: string): string | null {
  if (!isObject(value)) return say`${wire} message is not an object`;
  const message = value as Record<string, unknown>;
  const shape = Object.hasOwn(shapes, String(message['type'])) ? shapes[String(message['type'])] : undefined;
  if (!shape) return say`${wire} message has the unknown type ${JSON.stringify(message['type'] ?? null)}`;
  for (const [field, check] of Object.entries(shape)) {
    if (!check(message[field]))
      return say`${wire} message "${String(message['type'])}" has a wrong field "${field}"`;
  }
  return null;
}

/** Checks version and order of one direction of the trainer's wire. */
export class Receiver<M extends FromHost | FromTrainer> {
  private next = 0;

  constructor(
    private readonly shapes: Readonly<Record<string, Shape>>,
    private readonly wire: string,
  ) {}

  /** The message of an envelope; throws an Error that says what is wrong with it. */
  open(value: unknown): M {
    if (!isObject(value)) throw new Error(`${this.wire} sent something that is no envelope.`);
    const { v, seq, message } = value as Envelope<unknown>;
    if (v !== trainerWireVersion)
      throw new Error(
        `${this.wire} speaks version ${String(v ?? 'none')} of the wire, this side ${trainerWireVersion}. Both must come from the same Kernelscope; reload the window or reinstall.`,
      );
    if (seq !== this.next)
      throw new Error(
        `${this.wire} message ${String(seq ?? 'without a number')} came where ${this.next} was due.`,
      );
    this.next++;
    const problem = problemOf(message, this.shapes, this.wire);
    if (problem) throw new Error(`${problem}.`);
    return message as M;
  }
}

export const hostReceiver = (): Receiver<FromTrainer> => new Receiver(fromTrainer, say`The trainer`);
export const trainerReceiver = (): Receiver<FromHost> => new Receiver(fromHost, say`The host`);

/** Numbers the messages of one direction. */
export class Sender<M> {
  private seq = 0;

  seal(message: M): Envelope<M> {
    return { v: trainerWireVersion, seq: this.seq++, message };
  }
}

/** A message of a webview, or the reason why it is refused. */
export function checkViewMessage(value: unknown): FromView | string {
  const problem = problemOf(value, fromView, say`The view`);
  if (problem) return problem;
  const message = value as FromView;
  if (message.type === 'ready' && message.version !== viewWireVersion)
    return say`The view speaks version ${message.version} of the wire, the host ${viewWireVersion}; reload the window`;
  return message;
}
