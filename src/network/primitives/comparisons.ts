/** Kernels that compare two tensors number by number: truth values, which do not change when the numbers move a little. */
export const comparisons = [
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Equal',
  'NotEqual',
  'LogicalAnd',
  'LogicalOr',
] as const;
