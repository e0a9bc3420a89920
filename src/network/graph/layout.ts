/**
 * Where samples lie in a value: along `axis`, whose length is outer * n * inner. [n, d] has both 1; [n T, d], the tokens of
 * every sample one after another, has inner = T; [T n, d] has outer = T.
 */
export interface Layout {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

/** Whether the samples are the first axis, one after another. */
export const isLeading = (layout: Layout | null): boolean =>
  layout !== null && layout.axis === 0 && layout.outer === 1;
