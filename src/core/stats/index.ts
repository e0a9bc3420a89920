export { commonSlopeFit, type LineFit, linearFit, logLogFit } from './fit.js';
export { digamma, erfc, logGamma, normalCdf, studentCdf, studentQuantile } from './special.js';
export {
  type KsTest,
  ksNormal,
  mean,
  meanInterval,
  median,
  pearson,
  quantiles,
  standardDeviation,
} from './summary.js';
