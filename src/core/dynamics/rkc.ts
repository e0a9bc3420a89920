/**
 * Long explicit steps along y' = F(y) whose Jacobian has eigenvalues in [-rho, 0]: the second-order Runge-Kutta-Chebyshev
 * method (Sommeijer, Shampine and Verwer 1998, section 2). A step of s stages is stable up to h rho = .653 (s^2 - 1), so
 * that it costs the square root of the steps of plain descent that it stands for.
 */

const damping = 2 / 13;
const reach = 0.653;

/** y_j = start y_0 + last y_(j-1) + before y_(j-2) + h (slope F(y_(j-1)) + first F(y_0)). */
export interface Stage {
  readonly start: number;
  readonly last: number;
  readonly before: number;
  readonly slope: number;
  readonly first: number;
}

/** Fewest stages, at least 2, with which a step of h is stable where F' is at least -rho; `x` is h rho. */
export const stagesFor = (x: number): number => Math.max(2, Math.ceil(Math.sqrt(1 + x / reach)));

/** The stages 1 to s of a step; y_(-1) does not occur. Throws a RangeError below two. */
export function rkcStages(s: number): Stage[] {
  if (!(Number.isInteger(s) && s >= 2)) throw new RangeError(`A step has at least 2 stages, not ${s}.`);
  const w = 1 + damping / s ** 2;
  // Chebyshev polynomials at w, and their first two derivatives.
  const [t, d, dd] = [
    [1, w],
    [0, 1],
    [0, 0],
  ];
  for (let j = 2; j <= s; j++) {
    t[j] = 2 * w * t[j - 1] - t[j - 2];
    d[j] = 2 * t[j - 1] + 2 * w * d[j - 1] - d[j - 2];
    dd[j] = 4 * d[j - 1] + 2 * w * dd[j - 1] - dd[j - 2];
  }
  const scale = d[s] / dd[s];
  const b = t.map((_, j) => dd[Math.max(2, j)] / d[Math.max(2, j)] ** 2);
  const out: Stage[] = [{ start: 1, last: 0, before: 0, slope: 0, first: b[1] * scale }];
  for (let j = 2; j <= s; j++) {
    const [last, before] = [(2 * b[j] * w) / b[j - 1], -b[j] / b[j - 2]];
    const slope = (2 * b[j] * scale) / b[j - 1];
    const first = -(1 - b[j - 1] * t[j - 1]) * slope;
    out.push({ start: 1 - last - before, last, before, slope, first });
  }
  return out;
}

/** What such a step leaves of y' = -lambda y; `x` is h lambda. */
export function rkcFactor(stages: readonly Stage[], x: number): number {
  let [before, last] = [0, 1];
  for (const stage of stages) {
    const next =
      stage.start + stage.last * last + stage.before * before - x * (stage.slope * last + stage.first);
    [before, last] = [last, next];
  }
  return last;
}
