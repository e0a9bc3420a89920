// Builds every bundle: the extension, the trainer, the command line, the library face and the webview pages.
//   node esbuild.js            once, minified; writes dist/meta/*.json (read by the bundle tests)
//   node esbuild.js --watch    rebuilds on change, with source maps
const esbuild = require('esbuild');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const tsserver = require('./src/tsserver/build.js');

const watch = process.argv.includes('--watch');
const dist = path.join(__dirname, 'dist');

const common = {
  bundle: true,
  minify: !watch,
  keepNames: true,
  sourcemap: watch ? 'linked' : false,
  logLevel: 'warning',
  metafile: true,
  legalComments: 'none',
};
const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  mainFields: ['module', 'main'],
  external: ['vscode', '@tensorflow/tfjs-node'],
};
const browser = { ...common, platform: 'browser', format: 'iife', target: 'es2022' };

/** Leaves a module out of a bundle. */
const without = (filter) => ({
  name: 'without',
  setup(build) {
    build.onResolve({ filter }, ({ path: name }) => ({ path: name, namespace: 'nothing' }));
    build.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: '' }));
  },
});

/** One entry a bundle; the name is also that of its metafile. */
const bundles = {
  extension: { ...node, entryPoints: ['src/extension/extension.ts'], outfile: 'dist/extension.js' },
  trainer: { ...node, entryPoints: ['src/trainer/main.ts'], outfile: 'dist/trainer.js' },
  cli: {
    ...node,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.js',
    banner: { js: '#!/usr/bin/env node' },
  },
  // Models of the user's own TensorFlow.js have to be models here, so the library must not hold another copy of it.
  library: {
    ...node,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    external: [...node.external, '@tensorflow/*'],
  },
  // What `kernelscope watch` puts into a program: a small first part, and the rest for where something trains. Its copy of
  // TensorFlow.js must not give the program's tensors other methods.
  preload: { ...node, entryPoints: ['src/watch/preload/preload.ts'], outfile: 'dist/watch/preload.js' },
  observer: {
    ...node,
    entryPoints: ['src/watch/observer/observer.ts'],
    outfile: 'dist/watch/observer.js',
    plugins: [without(/[/\\]chainedOps\.js$/)],
  },
  tsserver: { ...node, ...tsserver.bundle },
  dashboard: { ...browser, entryPoints: ['webview/dashboard.ts'], outfile: 'dist/webview/dashboard.js' },
  report: { ...browser, entryPoints: ['webview/report.ts'], outfile: 'dist/webview/report.js' },
  styles: { ...browser, entryPoints: ['webview/styles/index.css'], outfile: 'dist/webview/styles.css' },
};

/** Files that are copied beside the bundles. */
const assets = [
  [
    'node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
    'dist/tfjs-backend-wasm-simd.wasm',
  ],
  ['node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm', 'dist/tfjs-backend-wasm.wasm'],
  ['media/data/digits.bin', 'dist/digits.bin'],
];

function copyAssets() {
  for (const [from, to] of assets) {
    const target = path.join(__dirname, to);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(__dirname, from), target);
  }
}

/** What the editor lists of the claims and the authors' experiments, without loading TensorFlow. */
function writeListing(command, file) {
  const listed = spawnSync(process.execPath, [path.join(dist, 'cli.js'), command, '--list', '--json'], {
    encoding: 'utf8',
  });
  if (listed.status !== 0) throw new Error(`"${command} --list" failed: ${listed.stderr}`);
  fs.writeFileSync(path.join(dist, file), listed.stdout);
}

/** Type declarations of the library face, for editors. */
function writeTypes() {
  const tsc = path.join(__dirname, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', path.join('src', 'tsconfig.types.json')], {
    cwd: __dirname,
    encoding: 'utf8',
  });
  // Declarations are written in spite of type errors; that there are none is what the check of types is for.
  if (result.status !== 0 && !fs.existsSync(path.join(dist, 'types', 'index.d.ts')))
    throw new Error(`The type declarations failed:\n${result.stdout}${result.stderr}`);
}

async function main() {
  fs.mkdirSync(path.join(dist, 'meta'), { recursive: true });
  copyAssets();
  const present = Object.entries(bundles).filter(([, o]) =>
    fs.existsSync(path.join(__dirname, o.entryPoints[0])),
  );
  if (watch) {
    for (const [, options] of present) await (await esbuild.context(options)).watch();
    console.log(`watching ${present.map(([name]) => name).join(', ')}`);
    return;
  }
  await Promise.all(
    present.map(async ([name, options]) => {
      const result = await esbuild.build(options);
      fs.writeFileSync(path.join(dist, 'meta', `${name}.json`), JSON.stringify(result.metafile));
    }),
  );
  fs.chmodSync(path.join(dist, 'cli.js'), 0o755);
  writeListing('verify', 'claims.json');
  writeListing('reproduce', 'experiments.json');
  writeTypes();
  tsserver.writePackage(path.join(dist, 'types'));
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exit(1);
});
