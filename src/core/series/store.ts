/** Values a store holds at most by default: 16 MiB of float64. */
export const defaultBudget = 2 ** 21;

interface Column {
  values: Float64Array;
  last: number;
  /** Of the unfinished bucket: extremes and the raw rows at which they were seen. */
  low: number;
  high: number;
  lowAt: number;
  highAt: number;
}

/**
 * Named columns of numbers that grow at their end, in bounded memory for any number of rows. While all rows fit they are
 * kept as they are. When they do not, resolution halves everywhere: from then on every bucket of 2 * `resolution` rows
 * is kept as two rows, which hold each column's minimum and maximum in the order in which they occurred (for a growing
 * column such as the step: its first and last value). Missing values are NaN and never count as extremes.
 */
export class SeriesStore {
  private readonly columns = new Map<string, Column>();
  private stored = 0;
  private allocated = 256;
  private pending = 0;
  private bucket = 1;
  private total = 0;

  /** `budget`: most values held, rows times columns. */
  constructor(readonly budget = defaultBudget) {}

  /** Names in the order of their first appearance. */
  get names(): string[] {
    return [...this.columns.keys()];
  }

  /** Raw rows appended so far. */
  get rows(): number {
    return this.total;
  }

  /** Rows kept, the unfinished bucket included. */
  get length(): number {
    return this.stored + this.tail();
  }

  /** Raw rows a kept row stands for. */
  get resolution(): number {
    return this.bucket;
  }

  private tail(): number {
    return Math.min(2, this.pending);
  }

  /**
   * Appends rows given as columns of one length (shorter or absent ones count as missing). A name that was never seen
   * becomes a column with NaN before. `count` defaults to the longest column.
   */
  append(columns: Readonly<Record<string, ArrayLike<number>>>, count?: number): void {
    const entries = Object.entries(columns);
    const rows = count ?? entries.reduce((most, [, values]) => Math.max(most, values.length), 0);
    for (const [name] of entries) this.ensure(name);
    const known = [...this.columns].map(([name, column]) => ({ column, values: columns[name] }));
    for (let i = 0; i < rows; i++) {
      this.reserve();
      for (const { column, values } of known) {
        const value = values && i < values.length ? values[i] : Number.NaN;
        if (!Number.isNaN(value)) column.last = value;
        if (this.bucket === 1) column.values[this.stored] = value;
        else this.observe(column, value);
      }
      this.total++;
      if (this.bucket === 1) this.stored++;
      else {
        this.pending++;
        if (this.pending === 2 * this.bucket) this.flush();
      }
    }
  }

  /** A copy of one column, [length]; NaN where nothing was measured. All NaN for a name that was never seen. */
  column(name: string): Float64Array {
    const out = new Float64Array(this.length).fill(Number.NaN);
    const column = this.columns.get(name);
    if (!column) return out;
    out.set(column.values.subarray(0, this.stored));
    if (this.pending > 0) writeExtremes(column, out, this.stored, this.tail());
    return out;
  }

  /** The latest measured value of a column, NaN when there is none. Exact at any resolution. */
  last(name: string): number {
    return this.columns.get(name)?.last ?? Number.NaN;
  }

  /** Forgets everything. */
  clear(): void {
    this.columns.clear();
    this.stored = 0;
    this.allocated = 256;
    this.pending = 0;
    this.bucket = 1;
    this.total = 0;
  }

  private ensure(name: string): void {
    if (this.columns.has(name)) return;
    const values = new Float64Array(this.allocated).fill(Number.NaN);
    this.columns.set(name, { values, last: Number.NaN, ...empty });
    // One more column leaves fewer rows to each.
    const most = this.most();
    while (this.stored + 2 > most) this.halve();
    if (this.allocated > most) this.resize(most);
  }

  private most(): number {
    return Math.max(8, Math.floor(this.budget / Math.max(1, this.columns.size)) & ~3);
  }

  private resize(rows: number): void {
    this.allocated = rows;
    for (const column of this.columns.values()) {
      const values = new Float64Array(rows).fill(Number.NaN);
      values.set(column.values.subarray(0, this.stored));
      column.values = values;
    }
  }

  private observe(column: Column, value: number): void {
    if (Number.isNaN(value)) return;
    if (column.lowAt < 0 || value < column.low) {
      column.low = value;
      column.lowAt = this.pending;
    }
    if (column.highAt < 0 || value >= column.high) {
      column.high = value;
      column.highAt = this.pending;
    }
  }

  private flush(): void {
    for (const column of this.columns.values()) {
      writeExtremes(column, column.values, this.stored, 2);
      Object.assign(column, empty);
    }
    this.stored += 2;
    this.pending = 0;
  }

  /** Makes room for two more rows: grows while the budget allows, else halves the resolution. */
  private reserve(): void {
    if (this.stored + 2 <= this.allocated) return;
    const most = this.most();
    if (this.allocated < most) this.resize(Math.min(most, this.allocated * 2));
    else this.halve();
  }

  private halve(): void {
    // Called between buckets of the old resolution or with rows pending; both stay aligned to groups of four rows.
    const groups = this.stored >> 2;
    const rest = this.stored - 4 * groups;
    for (const column of this.columns.values()) {
      const { values } = column;
      for (let g = 0; g < groups; g++) mergeFour(values, 4 * g, 2 * g);
      const carried = values.slice(4 * groups, this.stored);
      values.fill(Number.NaN, 2 * groups);
      column.values = values;
      this.carry(column, carried);
    }
    // Two stored rows are one old bucket (or single rows at first): they move into the unfinished one.
    this.pending += rest * this.bucket;
    this.stored = 2 * groups;
    this.bucket *= 2;
  }

  /** Puts rows that do not fill a new bucket in front of what is pending. */
  private carry(column: Column, rows: Float64Array): void {
    const offset = rows.length * this.bucket;
    if (column.lowAt >= 0) column.lowAt += offset;
    if (column.highAt >= 0) column.highAt += offset;
    for (let i = rows.length - 1; i >= 0; i--) {
      const value = rows[i];
      if (Number.isNaN(value)) continue;
      if (column.lowAt < 0 || value <= column.low) {
        column.low = value;
        column.lowAt = i * this.bucket;
      }
      if (column.highAt < 0 || value > column.high) {
        column.high = value;
        column.highAt = i * this.bucket;
      }
    }
  }
}

const empty = { low: Number.NaN, high: Number.NaN, lowAt: -1, highAt: -1 };

/** The bucket's extremes in the order of occurrence; one value alone leaves the second row missing. */
function writeExtremes(column: Column, out: Float64Array, at: number, rows: number): void {
  const { low, high, lowAt, highAt } = column;
  if (rows === 1) {
    out[at] = lowAt < 0 ? Number.NaN : column.last;
    return;
  }
  const lowFirst = lowAt <= highAt;
  out[at] = lowFirst ? low : high;
  out[at + 1] = lowAt === highAt ? Number.NaN : lowFirst ? high : low;
}

/** Rows [from, from + 4) become two at `to`: minimum and maximum in the order of occurrence. */
function mergeFour(values: Float64Array, from: number, to: number): void {
  let low = -1;
  let high = -1;
  for (let i = from; i < from + 4; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    if (low < 0 || value < values[low]) low = i;
    if (high < 0 || value >= values[high]) high = i;
  }
  const a = low < 0 ? Number.NaN : values[Math.min(low, high)];
  const b = low < 0 || low === high ? Number.NaN : values[Math.max(low, high)];
  values[to] = a;
  values[to + 1] = b;
}

/**
 * Whether rows begin with the one row that a store holds: the start of a run is told by its loss alone before everything
 * of its row is measured, so the row comes again, whole, and the store has to forget the first one.
 */
export function repeatsFirst(step: ArrayLike<number>, held: SeriesStore): boolean {
  return step.length > 0 && held.rows === 1 && step[0] === held.last('step');
}
