/** Where a mistake of the user sits, as far as it is known. */
export interface ErrorPlace {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  readonly column?: number;
  /** Path in the definition, such as `optimizer.learningRate`. */
  readonly field?: string;
}

/**
 * A mistake in what the user gave us (file, field, option). The message is a whole sentence: what is wrong, what is
 * allowed, the way out. The command line ends with exit code 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(
    message: string,
    readonly place: ErrorPlace = {},
  ) {
    super(message);
  }
}

/** Something that was asked for correctly could not be done. Exit code 1. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
}

/** Training left the finite numbers; says at which step and with which step size. Exit code 3. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  constructor(
    message: string,
    readonly step: number,
  ) {
    super(message);
  }
}
