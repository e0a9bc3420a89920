import type { CopiedTensor, ForeignModel } from '../preload/foreign.js';

/** Inputs that a kernel is measured on, at most and at least. */
const most = 64;
const least = 16;
/** Steps after which what has come is taken, however few inputs it is. */
const maxBatches = 32;

/** The first rows of every tensor, which all have the same number of them. */
export const firstRows = (parts: readonly CopiedTensor[], count: number): readonly CopiedTensor[] =>
  parts.map(({ shape, dtype, values }) => {
    const kept = Math.min(shape[0], count);
    const per = values.length / shape[0];
    return { shape: [kept, ...shape.slice(1)], dtype, values: (values as Float32Array).slice(0, per * kept) };
  });

/** The same; null where they do not have the same number of rows. */
function rowsOf(parts: readonly CopiedTensor[], count: number): readonly CopiedTensor[] | null {
  const n = parts[0]?.shape[0];
  if (!n || parts.some(({ shape }) => shape[0] !== n)) return null;
  return firstRows(parts, count);
}

function joined(a: readonly CopiedTensor[], b: readonly CopiedTensor[]): readonly CopiedTensor[] | null {
  const fits = a.every(
    ({ shape, dtype }, i) =>
      b[i]?.dtype === dtype && b[i].shape.slice(1).join() === shape.slice(1).join() && b.length === a.length,
  );
  if (!fits) return null;
  return a.map(({ shape, dtype, values }, i) => {
    const both = new (values.constructor as Float32ArrayConstructor)(values.length + b[i].values.length);
    both.set(values as Float32Array);
    both.set(b[i].values as Float32Array, values.length);
    return { shape: [shape[0] + b[i].shape[0], ...shape.slice(1)], dtype, values: both };
  });
}

/** The inputs, and where they are known the targets, that a training is looked at with: from its first batches. */
export class ProbeSet {
  /** [N, ...], one an input of the model. */
  inputs: readonly CopiedTensor[] | null = null;
  /** [N, ...], of the first output. */
  targets: CopiedTensor | null = null;
  private seen = 0;
  private complete = false;
  /** A model of a fixed batch size takes no other number of inputs. */
  readonly fixed: number | null;

  constructor(
    private readonly model: ForeignModel,
    given: readonly CopiedTensor[] | null,
    givenTargets: CopiedTensor | null = null,
  ) {
    this.fixed = model.inputs[0]?.shape[0] ?? null;
    if (!given) return;
    this.inputs = rowsOf(given, this.fixed ?? given[0].shape[0]);
    this.targets = givenTargets;
    this.complete = true;
  }

  /** Whether it is to be measured on. */
  get ready(): boolean {
    return this.complete;
  }

  get size(): number {
    return this.inputs?.[0]?.shape[0] ?? 0;
  }

  /** Fewer inputs: what can be measured in time. */
  shorten(count: number): void {
    if (this.fixed || !this.inputs) return;
    this.inputs = firstRows(this.inputs, count);
    this.targets = this.targets && firstRows([this.targets], count)[0];
  }

  /**
   * Takes what is needed of a batch: what the model was called on, where that was seen, else the first of the `leaves` of the
   * computation that fit its inputs. Targets are among what is left.
   */
  add(given: readonly CopiedTensor[] | null, leaves: readonly CopiedTensor[]): void {
    if (this.complete) return;
    this.seen++;
    const rest = leaves.filter((leaf) => !given?.some((input) => same(input, leaf)));
    const inputs =
      given ?? this.model.inputs.map(({ shape }) => pick(rest, (t) => fitsShape(t.shape, shape)));
    if (!inputs.every((t) => t !== undefined) || inputs.length !== this.model.inputs.length) return;
    // Of a loop of the program's own, one tensor beside the inputs can only be the targets; of several none is known to be.
    const targets = given && rest.length !== 1 ? null : this.targetsIn(rest, inputs[0].shape[0]);
    const wanted = this.fixed ?? most;
    const parts = rowsOf(targets ? [...inputs, targets] : inputs, wanted - this.size);
    if (!parts || !fits(this.model, parts)) return;
    const before = this.inputs ? [...this.inputs, ...(this.targets ? [this.targets] : [])] : null;
    const all = before ? joined(before, parts) : parts;
    if (all) {
      this.inputs = all.slice(0, inputs.length);
      this.targets = all[inputs.length] ?? null;
    }
    this.complete = this.size >= (this.fixed ?? least) || this.seen >= maxBatches;
  }

  /** Of a model with one output: numbers of its size, else one class a sample. */
  private targetsIn(rest: CopiedTensor[], n: number): CopiedTensor | null {
    const { outputs } = this.model;
    if (outputs.length !== 1) return null;
    const [{ shape }] = outputs;
    const size = shape.slice(1).reduce<number>((product, k) => product * (k ?? 1), n);
    return (
      pick(rest, (t) => t.shape[0] === n && t.values.length === size) ??
      pick(rest, (t) => t.shape[0] === n && t.values.length === n) ??
      null
    );
  }
}

/** Whether a tensor has a shape that a model takes. */
export const fitsShape = (given: readonly number[], wanted: readonly (number | null)[]): boolean =>
  given.length === wanted.length && wanted.every((n, k) => k === 0 || n === null || n === given[k]);

const same = (a: CopiedTensor, b: CopiedTensor): boolean =>
  a.shape.join() === b.shape.join() && (a.values as Float32Array).every((value, i) => value === b.values[i]);

/** Takes the first that is right out of a list. */
function pick(list: CopiedTensor[], right: (t: CopiedTensor) => boolean): CopiedTensor | undefined {
  const at = list.findIndex(right);
  return at < 0 ? undefined : list.splice(at, 1)[0];
}

/** Whether tensors have the shapes that a model takes. */
const fits = (model: ForeignModel, parts: readonly CopiedTensor[]): boolean =>
  model.inputs.every(({ shape }, i) => fitsShape(parts[i].shape, shape));
