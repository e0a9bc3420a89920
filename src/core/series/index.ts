export { decimate, lowerBound, type Points, type Window } from './decimate.js';
export { defaultBudget, SeriesStore } from './store.js';
