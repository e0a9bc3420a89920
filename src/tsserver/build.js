// Writes the plugin of TypeScript's server as a package, with the declarations it gives: tsserver looks for plugins in
// node_modules beside the extension and nowhere else.
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const modules = path.join(root, 'node_modules');
const name = 'kernelscope-tsserver';
const folder = path.join(modules, name);
/** Declarations of 'kernelscope' for the editor. */
const face = path.join(root, 'dist', 'editor', 'kernelscope.d.ts');

const write = (file, text) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};

/**
 * What a model file imports from 'kernelscope', builders and types, as the trainer provides them: one file, so that each
 * name is offered once.
 */
function writeFace(types, file) {
  const read = (name) => fs.readFileSync(path.join(types, `${name}.d.ts`), 'utf8');
  /** What `experiment/definition` gives on. */
  const parts = [...read('experiment/definition').matchAll(/^export \* from '\.\.\/([^']+)\.js';$/gm)];
  if (parts.length === 0) throw new Error('The definition of an experiment gives nothing on any more.');
  const take = (text, from, to) => {
    if (!from.test(text)) throw new Error(`The declarations of the builders have no ${from} any more.`);
    return text.replace(from, to);
  };
  const builders = take(
    take(read('experiment/builders'), /^import type \{[^}]*\} from '\.\/definition\.js';\n/m, ''),
    /'\.\.\/network\/tf\.js'/,
    "'@tensorflow/tfjs'",
  );
  // Values of the definition are not among what the trainer provides; with "export {}" only what says so is exported.
  const definition = take(
    parts.map(([, name]) => read(name).replace(/^import type .*\n/gm, '')).join('\n'),
    /^export declare const/gm,
    'declare const',
  );
  write(file, `${builders}\n${definition}export {};\n`);
}

const specifiers = /((?:\bfrom|\bimport|\bimport\(|\bdeclare module)\s*)(['"])([^'"\n]+)\2/g;

/**
 * The declarations of TensorFlow.js that `src/network/tf.ts` gives model files, and all that these import: some 500 files.
 * They stay as published, only imports of each other become relative, and the types of WebGPU are not asked for.
 */
function writeTensorflow(target) {
  const scope = path.join(modules, '@tensorflow');
  const at = (specifier, from) => {
    const [, bare, rest] = /^@tensorflow\/([^/]+)(?:\/(.*))?$/.exec(specifier) ?? [];
    if (!bare && !specifier.startsWith('.')) return undefined;
    const stem = bare
      ? path.join(scope, bare, rest ?? 'dist/index')
      : path.join(path.dirname(from), specifier);
    return [`${stem}.d.ts`, path.join(stem, 'index.d.ts')].find((file) => fs.existsSync(file));
  };
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = fs.readFileSync(file, 'utf8').replace(specifiers, (whole, before, quote, specifier) => {
      const found = at(specifier, file);
      if (!found) return whole;
      visit(found);
      if (specifier.startsWith('.')) return whole;
      const relative = path.relative(path.dirname(file), found).split(path.sep).join('/');
      return `${before}${quote}${relative.startsWith('.') ? '' : './'}${relative.replace(/\.d\.ts$/, '')}${quote}`;
    });
    write(
      path.join(target, path.relative(scope, file)),
      text.replace(/^\/\/\/ <reference types="@webgpu.*\n/m, ''),
    );
  };
  const chained = 'tfjs-core/dist/public/chained_ops/register_all_chained_ops';
  const packages = ['tfjs-converter', 'tfjs-core', 'tfjs-layers'];
  for (const entry of [...packages, 'tfjs-data', chained]) visit(at(`@tensorflow/${entry}`));
  write(
    path.join(target, 'index.d.ts'),
    [
      '/** TensorFlow.js as model files get it inside the trainer: the union package without its browser backends. */',
      `import './${chained}';`,
      ...packages.map((entry) => `export * from './${entry}/dist/index';`),
      "export * as data from './tfjs-data/dist/index';\n",
    ].join('\n'),
  );
}

/** The bundle of the plugin; `module.exports` is the function that tsserver calls. */
const bundle = {
  entryPoints: [path.join('src', 'tsserver', 'plugin.ts')],
  outfile: path.join(folder, 'index.js'),
  footer: { js: 'module.exports = module.exports.default;' },
};

/** All but the bundle; `types` is the folder of the library's declarations. */
function writePackage(types) {
  const { version, license } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const manifest = { name, version, license, private: true, main: 'index.js' };
  write(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFace(types, face);
  const tensorflow = path.join(folder, 'tensorflow');
  fs.rmSync(tensorflow, { recursive: true, force: true });
  writeTensorflow(tensorflow);
}

module.exports = { name, folder, bundle, writePackage };
