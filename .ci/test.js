// `npm test`: formatting and lint, types, bundles, and every vitest suite; installs what is missing first.
//   node .ci/test.js [suite ...] [--keep]     suites: lint types bundles unit golden trainer cli webview
require('./ensure.js');
const { check, local, vitest, vitestSuites } = require('./suites.js');
const results = require('./results.js');

const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const chosen = (name) => wanted.length === 0 || wanted.includes(name);
const checks = {
  lint: [[local('biome'), 'ci', '.']],
  types: ['src/core', 'src/protocol', 'webview', '.', 'test'].map((project) => [local('tsc'), '-p', project]),
  bundles: [[process.execPath, 'esbuild.js']],
};

if (!process.argv.includes('--keep')) results.reset();
for (const [name, commands] of Object.entries(checks)) if (chosen(name)) check(name, commands);
for (const name of vitestSuites) if (chosen(name)) vitest(name, { secondLook: name === 'webview' });
process.exit(results.summarize());
