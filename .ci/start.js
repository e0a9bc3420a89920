// `npm start`: the main job. Trains the two-layer example on MNIST in the terminal and writes the HTML report.
// Further arguments go to `kernelscope run` (try: npm start -- --steps 200).
require('./ensure.js');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');
const result = spawnSync(
  process.execPath,
  [
    path.join(root, 'dist', 'cli.js'),
    'run',
    path.join('examples', 'mnist-two-layer.ts'),
    '--report',
    'report.html',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(result.status ?? 130);
