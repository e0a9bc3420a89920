import { say } from '../../core/say.js';
import * as tf from '../../network/tf.js';
import type { NoteRecord } from '../../protocol/records.js';
import type { CopiedTensor, ForeignEngine, ForeignModel, ForeignTensor } from '../preload/foreign.js';
import { type Around, aside } from './aside.js';
import type { Budget } from './budget.js';
import { kernelOf, outputsOf } from './kernel.js';
import { firstRows, type ProbeSet } from './probe.js';
import { KernelCourse, type Spectrum } from './spectrum.js';
import { labelsOf, targetMatrix } from './targets.js';
import type { Weights } from './weights.js';

/** Milliseconds that the kernel at the start may take: at most, and where little is left. */
const firstLook = [400, 150] as const;

type Tell = (level: NoteRecord['level'], text: string) => void;

/** The kernels of one training, on one set of inputs. */
export class Kernels {
  /** Milliseconds of the last one. */
  cost = 0;
  readonly outputs: number;
  private course: KernelCourse | null = null;
  /** Where all outputs are too dear: the one that is measured. */
  private output: number | undefined;

  constructor(
    private readonly engine: ForeignEngine,
    private readonly budget: Budget,
    readonly model: ForeignModel,
    readonly probe: ProbeSet,
    private readonly weights: Weights,
    private readonly around: Around,
  ) {
    this.outputs = outputsOf(model);
  }

  /** Whether there are kernels. */
  get measured(): boolean {
    return this.course !== null;
  }

  labels(): readonly number[] {
    const targets = targetMatrix(this.probe.targets, this.probe.size, this.outputs);
    return targets ? labelsOf(targets) : [];
  }

  /**
   * The kernel at the weights of the start, on as many inputs as there is time for; null, with a note, where there is none.
   * `begun`: steps have been taken since.
   */
  start(begun: boolean, tell: Tell): Spectrum | null {
    const { probe, weights } = this;
    if (!probe.inputs) {
      tell('info', 'There is no kernel: the inputs of this model were not seen.');
      return null;
    }
    const measure = (inputs: readonly CopiedTensor[], output?: number) => {
      const start = performance.now();
      const kernel = aside(this.engine, [this.model], this.around, () => {
        const work = () => kernelOf(this.model, inputs, weights.set, output);
        return begun ? weights.atStart(tensorLike, work) : work();
      });
      this.cost = performance.now() - start;
      return kernel;
    };
    try {
      const all = probe.size;
      const few = probe.fixed ? all : Math.min(2, all);
      const [most, least] = firstLook;
      const limit = Math.max(least, Math.min(most, this.budget.left));
      // One output of two inputs tells what a kernel costs here, once what it needs is compiled.
      const some = few < all ? firstRows(probe.inputs, few) : probe.inputs;
      const one = this.outputs > 1 ? 0 : undefined;
      measure(some, one);
      if (this.cost > limit / 2 && this.cost < 2 * limit) measure(some, one);
      if (this.cost > limit / 2) this.economise(few, all, limit, tell);
      const kernel = measure(probe.inputs, this.output);
      for (const text of kernel.notes) tell('info', text);
      const targets = targetMatrix(probe.targets, probe.size, this.outputs);
      this.course = new KernelCourse(targets, weights.layers);
      return this.course.look(kernel, 0, 0);
    } catch (error) {
      tell('warning', say`There is no kernel of this model: ${(error as Error).message}`);
      return null;
    }
  }

  /** The kernel now; null, with a note, once it cannot be measured any more. */
  now(step: number, time: number, tell: Tell): Spectrum | null {
    const { inputs } = this.probe;
    if (!this.course || !inputs) return null;
    const start = performance.now();
    try {
      const kernel = aside(this.engine, [this.model], this.around, () =>
        kernelOf(this.model, inputs, this.weights.set, this.output),
      );
      return this.course.look(kernel, step, time);
    } catch (error) {
      this.course = null;
      tell('warning', say`The kernel could not be measured any more: ${(error as Error).message}`);
      return null;
    } finally {
      this.cost = performance.now() - start;
    }
  }

  /** Fewer outputs and inputs, where a kernel of a few took long. */
  private economise(few: number, all: number, limit: number, tell: Tell): void {
    if (this.outputs > 1) {
      this.output = 0;
      tell('info', `This kernel is dear: that of the first of ${this.outputs} outputs is measured.`);
    }
    const affordable = Math.max(few, Math.floor((few * limit) / this.cost));
    if (affordable >= all) return;
    this.probe.shorten(affordable);
    tell('info', `This kernel is dear: it is measured on ${this.probe.size} of ${all} inputs.`);
  }
}

const tensorLike = (values: Float32Array, like: ForeignTensor): ForeignTensor =>
  tf.tensor(values, [...like.shape]) as unknown as ForeignTensor;
