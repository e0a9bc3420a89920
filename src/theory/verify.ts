import type { Claim, ClaimOutcome, ClaimResult, Preset } from './claim.js';
import type { Figure } from './figure.js';

export interface VerifyOptions {
  readonly claims: readonly Claim[];
  readonly seeds: readonly number[];
  readonly preset: Preset;
  /** Plant each claim's own fault: a good claim then turns red. */
  readonly sabotage: boolean;
  readonly backend: string;
  readonly signal?: AbortSignal;
  readonly progress?: (claim: Claim, seed: number, fraction: number, text: string) => void;
}

export interface Verified {
  readonly claim: Claim;
  readonly result: ClaimResult;
  readonly figures: readonly Figure[];
}

/** Measures every claim at every seed, one after the other; a claim that throws is red with the reason as its note. */
export async function* verify(options: VerifyOptions): AsyncGenerator<Verified> {
  for (const claim of options.claims) {
    for (const seed of options.seeds) {
      options.signal?.throwIfAborted();
      const start = performance.now();
      const outcome = await measure(claim, seed, options);
      yield {
        claim,
        figures: outcome.figures,
        result: {
          id: claim.id,
          passed: outcome.passed,
          predicted: outcome.predicted,
          measured: outcome.measured,
          interval: outcome.interval,
          tolerance: claim.tolerance,
          seed,
          backend: options.backend,
          seconds: Math.round((performance.now() - start) / 10) / 100,
          note: outcome.note,
        },
      };
    }
  }
}

async function measure(claim: Claim, seed: number, options: VerifyOptions): Promise<ClaimOutcome> {
  try {
    return await claim.measure({
      seed,
      preset: options.preset,
      sabotage: options.sabotage ? claim.sabotage : undefined,
      signal: options.signal,
      progress: (fraction, text) => options.progress?.(claim, seed, fraction, text),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return {
      passed: false,
      predicted: Number.NaN,
      measured: Number.NaN,
      interval: null,
      note: `Could not be measured: ${reason}`,
      figures: [],
    };
  }
}
