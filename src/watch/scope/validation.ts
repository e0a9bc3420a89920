import { type ForeignModel, workerOf } from '../preload/foreign.js';

interface Validated {
  readonly testLoss?: number;
  readonly accuracy?: number;
}

/** Loss and accuracy on the validation data of `fit`, once an epoch, from the history that it keeps. */
export class Validation {
  last: Validated = {};
  private epochs = 0;
  private history: unknown = null;

  constructor(private readonly model: ForeignModel | null) {}

  /** Whether an epoch has ended since the last look. */
  get changed(): boolean {
    const history = this.kept;
    const epochs = history?.['val_loss']?.length ?? 0;
    return epochs > 0 && (history !== this.history || epochs !== this.epochs);
  }

  /** What is new as columns. */
  fresh(): Record<string, number> {
    if (!this.changed) return {};
    this.history = this.kept;
    this.epochs = this.column('val_loss').length;
    const testLoss = this.value('val_loss');
    const accuracy = this.value('val_acc') ?? this.value('val_accuracy');
    this.last = {
      ...(testLoss === undefined ? {} : { testLoss }),
      ...(accuracy === undefined ? {} : { accuracy }),
    };
    return { ...this.last };
  }

  private get kept() {
    return this.model && workerOf(this.model).history?.history;
  }

  private column(name: string) {
    return this.kept?.[name] ?? [];
  }

  private value(name: string): number | undefined {
    const value = this.column(name).at(-1);
    if (value === undefined || typeof value === 'number') return value;
    return value.isDisposed ? undefined : value.dataSync()[0];
  }
}
