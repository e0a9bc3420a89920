export type BackendName = 'native' | 'wasm' | 'cpu';
export type BackendPreference = 'auto' | BackendName;

export interface BackendFallback {
  readonly backend: BackendName;
  /** Why this backend was passed over. */
  readonly reason: string;
}

/** Which backend runs and why; always on screen and in the run's record. */
export interface BackendReport {
  readonly name: BackendName;
  readonly requested: BackendPreference;
  /** One sentence. */
  readonly why: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly fallbacks: readonly BackendFallback[];
}
