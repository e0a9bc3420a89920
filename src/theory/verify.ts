import type { Claim, ClaimOutcome, ClaimResult, Preset } from './claim.js';
import type { Figure } from './figure.js';

/** What is the same for every measurement of a call. */
export interface VerifySetting {
  readonly preset: Preset;
  /** Plant each claim's own fault: a good claim then turns red. */
  readonly sabotage: boolean;
  readonly backend: string;
}

export interface Verified {
  readonly claim: Claim;
  readonly result: ClaimResult;
  readonly figures: readonly Figure[];
}

/** Measures one claim at one seed; a claim that throws is red with the reason as its note. */
export async function verifyOne(
  claim: Claim,
  seed: number,
  setting: VerifySetting,
  control: { signal?: AbortSignal; progress?: (fraction: number, text: string) => void } = {},
): Promise<Verified> {
  const start = performance.now();
  const outcome = await measure(claim, seed, setting, control);
  const seconds = (performance.now() - start) / 1000;
  return verified(claim, seed, setting, outcome, seconds);
}

/** A claim that could not be measured is red, and says why. */
export const unmeasured = (
  claim: Claim,
  seed: number,
  setting: VerifySetting,
  reason: string,
  seconds = 0,
): Verified => verified(claim, seed, setting, failure(reason), seconds);

function verified(
  claim: Claim,
  seed: number,
  setting: VerifySetting,
  { figures, ...outcome }: ClaimOutcome,
  seconds: number,
): Verified {
  const result = {
    id: claim.id,
    passed: outcome.passed,
    predicted: outcome.predicted,
    measured: outcome.measured,
    interval: outcome.interval,
    tolerance: claim.tolerance,
    seed,
    backend: setting.backend,
    seconds: Math.round(100 * seconds) / 100,
    note: outcome.note,
  };
  return { claim, figures, result };
}

async function measure(
  claim: Claim,
  seed: number,
  { preset, sabotage }: VerifySetting,
  control: { signal?: AbortSignal; progress?: (fraction: number, text: string) => void },
): Promise<ClaimOutcome> {
  try {
    return await claim.measure({
      seed,
      preset,
      sabotage: sabotage ? claim.sabotage : undefined,
      ...control,
    });
  } catch (error) {
    if (control.signal?.aborted) throw error;
    return failure(error instanceof Error ? error.message : String(error));
  }
}

const failure = (reason: string): ClaimOutcome => ({
  passed: false,
  predicted: Number.NaN,
  measured: Number.NaN,
  interval: null,
  note: `Could not be measured: ${reason}`,
  figures: [],
});
