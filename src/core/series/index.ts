export { decimate, lowerBound, type Points, type Window } from './decimate.js';
export { type SparklineOptions, sparkline } from './sparkline.js';
export { defaultBudget, repeatsFirst, SeriesStore } from './store.js';
