/** What one stage leaves behind: columns of equal length, single numbers, and whether it came to its end. */
export interface LearningCurve {
  /** Row-wise measurements by name; 'epoch' or 'step' is the abscissa. */
  readonly columns: Readonly<Record<string, readonly number[]>>;
  readonly values: Readonly<Record<string, number>>;
  /** Scattered points by name, such as the neurons at the end: lists of coordinates. */
  readonly points?: Readonly<Record<string, readonly number[]>>;
  readonly complete: boolean;
  /** Wall-clock seconds, those of earlier calls that were cut off included. */
  readonly seconds: number;
}
