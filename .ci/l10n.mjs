// The sentences that people read, and their translations.
//   node .ci/l10n.mjs     rewrites media/l10n: new sentences into the English bundle, gone ones out of every bundle;
//                         what is still to be translated is listed, with exit code 1
// What the trainer and the command line say (said.mjs) has files of its own, said.<language>.json.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { parseAst } from 'vite';
import { saidSentences } from './said.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Folders whose sentences VS Code's bundle serves: the host's, the trainer's that it says, and the pages'. */
export const folders = ['src/extension', 'src/trainer', 'webview'];

/** Words that come over a wire and are translated by what they say: a field of this name holds one of these. */
export const words = {
  regime: ['lazy', 'rich', 'in between', 'undetermined'],
  status: ['running', 'paused', 'finished', 'stopped', 'diverged', 'failed', 'interrupted'],
  // The text of a sentence of the trainer: collected where it is made, by sentence(...).
  text: [],
};

/**
 * Every sentence given to `l10n.t`, `t` or `sentence` in the TypeScript files of some folders, with the first file that has it, and
 * the calls whose sentence cannot be read from the source.
 */
export function sentencesOf(inFolders = folders) {
  const used = new Map();
  const unreadable = [];
  for (const file of inFolders.flatMap(sourcesOf)) {
    const name = path.relative(root, file).split(path.sep).join('/');
    const { code } = transformSync(readFileSync(file, 'utf8'), { loader: 'ts', target: 'esnext' });
    visit(parseAst(code), (call) => {
      const given = readSentences(call.arguments[0]);
      for (const sentence of given ?? []) if (!used.has(sentence)) used.set(sentence, name);
      if (!given) unreadable.push(`${name}: ${code.slice(call.start, call.end).slice(0, 80)}`);
    });
  }
  return { used, unreadable };
}

/** TypeScript files of a folder, or the one that is named. */
const sourcesOf = (folder) =>
  folder.endsWith('.ts')
    ? [path.join(root, folder)]
    : readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => path.join(root, folder, name))
        .sort();

/** Templates of what is said below the editor, each with the first file that has it. */
export const said = () => saidSentences(root, sourcesOf);

function visit(node, onCall) {
  if (node.type === 'CallExpression' && translates(node.callee)) onCall(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child?.type === 'string') visit(child, onCall);
}

/** `t(...)` of the pages, `l10n.t(...)` and `vscode.l10n.t(...)` of the host, `sentence(...)` of the trainer. */
function translates(callee) {
  if (callee.type === 'Identifier') return callee.name === 't' || callee.name === 'sentence';
  if (callee.type !== 'MemberExpression' || callee.property.name !== 't') return false;
  const { object } = callee;
  return (object.type === 'MemberExpression' ? object.property.name : object.name) === 'l10n';
}

/** What an argument can say; null when the source does not tell. */
function readSentences(node) {
  const both = (a, b) => {
    const [left, right] = [readSentences(a), readSentences(b)];
    return left && right ? [...left, ...right] : null;
  };
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : null;
    case 'TemplateLiteral':
      return node.quasis.length === 1 ? [node.quasis[0].value.cooked] : null;
    case 'ConditionalExpression':
      return both(node.consequent, node.alternate);
    case 'LogicalExpression':
      return both(node.left, node.right);
    case 'ChainExpression':
      return readSentences(node.expression);
    case 'MemberExpression':
      return words[node.property.name] ?? null;
    case 'Identifier':
      return words[node.name] ?? null;
    default:
      return null;
  }
}

export const bundleFile = (language) =>
  path.join(root, 'media', 'l10n', `bundle.l10n${language === 'en' ? '' : `.${language}`}.json`);

export const saidFile = (language) => path.join(root, 'media', 'l10n', `said.${language}.json`);

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
export const readBundle = (language) => readJson(bundleFile(language));
export const readSaid = (language) => readJson(saidFile(language));

/** Languages that have a bundle beside English. */
export const languages = ['zh-cn'];

/** One sentence a line, sorted, so that two people who add some seldom meet. */
function writeBundle(file, bundle) {
  const sorted = Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

/** Takes out what is said no more, and names what has no translation; returns how much that is. */
function update(file, sentences) {
  const bundle = readJson(file);
  const kept = Object.fromEntries(Object.entries(bundle).filter(([sentence]) => sentences.has(sentence)));
  writeBundle(file, kept);
  const missing = [...sentences].filter(([sentence]) => !(sentence in kept));
  for (const [sentence, from] of missing)
    console.error(`${path.relative(root, file)} needs ${JSON.stringify(sentence)} (${from})`);
  return missing.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { used, unreadable } = sentencesOf();
  for (const call of unreadable) console.error(`Give the sentence itself to t(): ${call}`);
  writeBundle(bundleFile('en'), Object.fromEntries([...used.keys()].map((sentence) => [sentence, sentence])));
  const templates = said();
  let missing = 0;
  for (const language of languages)
    missing += update(bundleFile(language), used) + update(saidFile(language), templates);
  process.exit(missing + unreadable.length > 0 ? 1 : 0);
}
