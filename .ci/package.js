// `npm run package`: the VSIX, packed from a staged folder (out/vsix) that looks like the installed extension.
//   node .ci/package.js [FILE]
// The plugin of TypeScript's server has to lie in node_modules, and vsce takes from there what the manifest depends on.
// The extension depends on nothing else: all that it runs is bundled.
require('./ensure.js');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const vsce = require('@vscode/vsce');
const plugin = require('../src/tsserver/build.js');

const root = path.join(__dirname, '..');
const staged = path.join(root, 'out', 'vsix');

/** Copies what .vscodeignore lets through, and the plugin, into an empty folder. */
async function stage() {
  fs.rmSync(staged, { recursive: true, force: true });
  for (const file of await vsce.listFiles({ cwd: root, dependencies: false }))
    fs.cpSync(path.join(root, file), path.join(staged, file));
  fs.cpSync(plugin.folder, path.join(staged, 'node_modules', plugin.name), { recursive: true });
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const key of ['scripts', 'devDependencies', 'optionalDependencies', 'bin', 'exports', 'types'])
    delete manifest[key];
  manifest.dependencies = { [plugin.name]: manifest.version };
  // All that lies there is wanted; without this file vsce warns.
  fs.writeFileSync(path.join(staged, '.vscodeignore'), '');
  fs.writeFileSync(path.join(staged, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Writes the VSIX of the bundles as they are. */
async function packageExtension(file) {
  await stage();
  await vsce.createVSIX({ cwd: staged, packagePath: file, useYarn: false });
}

module.exports = { staged, packageExtension };

async function main() {
  const { name, version } = require('../package.json');
  const built = spawnSync(process.execPath, ['esbuild.js'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
  await packageExtension(path.resolve(process.argv[2] ?? path.join(root, `${name}-${version}.vsix`)));
}

if (require.main === module)
  main().catch((error) => {
    console.error(error.message ?? error);
    process.exit(1);
  });
