// What the trainer and the command line say, as the editor has to translate it when it shows it.
//
// Below the editor sentences are plain English: they go into run folders, to stdout and into JSON as they are. The editor
// finds the template that a sentence was made from and says it in the user's language (src/extension/spoken). Here the
// templates are read from the sources:
//   - what is thrown: the first argument of every `new ...Error(...)`;
//   - every text that reads as a sentence;
//   - what is tagged with `say`: phrases that end up inside of sentences, and words that are shown on their own;
//   - titles, labels, settings and the like, by the names of their fields and of the functions that take them;
//   - the text between the tags of pages.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { parseAst } from 'vite';

/** Folders and files whose sentences the editor shows. */
export const saidIn = [
  'src/core',
  'src/protocol',
  'src/network',
  'src/experiment',
  'src/runs',
  'src/theory',
  'src/trainer',
  'src/watch',
  'src/cli/commands/compare.ts',
  'src/cli/commands/export.ts',
  'src/cli/commands/native.ts',
  'src/cli/commands/report.ts',
  'src/cli/commands/reproduce.ts',
  'src/cli/commands/sweep.ts',
  'src/cli/commands/verify.ts',
  'src/cli/io/options.ts',
  'src/cli/io/trainer.ts',
  'src/cli/sweep',
  'src/cli/verify',
];

/** Code for WebAssembly and for a C compiler, whose texts are none; and the page that is read outside of the editor. */
const foreign = /\/assembly\/|setup\/greeting\.ts$|runs\/embed\.ts$/;

/** Fields that hold words for people. */
const figureFields = ['title', 'label', 'xLabel', 'yLabel'];
const spokenFields = {
  'src/theory': [
    ...figureFields,
    'statement',
    'setting',
    'tolerance',
    'published',
    'note',
    'text',
    'full',
    'quick',
  ],
  'src/cli/sweep': figureFields,
};

/** Functions whose texts are for people; those that put the place of a mistake in front say so by a gap. */
const spokenCalls = {
  'src/core': { fail: '\0 ', requireSquare: '', requireFinite: '' },
  'src/network': { refuse: '\0 ', tell: '', done: '', doesNotFit: '' },
  'src/trainer': { progress: '' },
  'src/theory': {
    progress: '',
    powerLawFigure: '',
    powerLawsFigure: '',
    curveFigure: '',
    particleFigure: '',
    expected: '',
    shown: '',
    near: '',
    nearMovement: '',
    nearAccuracy: '',
    onRays: '',
    curve: '',
    part: '',
    htmlPage: '',
  },
  'src/cli': { update: '' },
};

/** Tables of words for people, by the names of their constants. */
const spokenTables = {
  'src/core': ['withoutForm'],
  'src/network': ['reasons'],
  'src/theory': ['sizesText', 'conventionTexts', 'linearisationText'],
};

const ruleFor = (rules, name) => Object.entries(rules).find(([folder]) => name.startsWith(`${folder}/`))?.[1];

/** More readings than this of one text: its parts are collected on their own instead. */
const mostReadings = 8;
/** Stands for a value. */
const gap = '\0';

const joined = (a, b) => a.flatMap((left) => b.map((right) => left + right));

/**
 * The texts that an expression can give, values as `gap`; null when it is no text. Of alternatives every one is a text
 * of its own: a translation wants the whole sentence.
 */
function readings(node) {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : null;
    case 'TaggedTemplateExpression':
      return isSay(node) ? readings(node.quasi) : null;
    case 'TemplateLiteral': {
      let texts = [node.quasis[0].value.cooked];
      for (const [i, expression] of node.expressions.entries())
        texts = joined(joined(texts, inside(expression)), [node.quasis[i + 1].value.cooked]);
      return texts;
    }
    case 'BinaryExpression': {
      if (node.operator !== '+') return null;
      const [left, right] = [readings(node.left), readings(node.right)];
      return left || right ? joined(left ?? [gap], right ?? [gap]) : null;
    }
    case 'ConditionalExpression':
      return either(node.consequent, node.alternate);
    case 'LogicalExpression':
      return either(node.left, node.right);
    default:
      return null;
  }
}

function either(a, b) {
  const [left, right] = [readings(a), readings(b)];
  return left || right ? [...(left ?? [gap]), ...(right ?? [gap])] : null;
}

const inside = (expression) => readings(expression) ?? [gap];

const isSay = (node) => node.tag.type === 'Identifier' && node.tag.name === 'say';

const numbered = (text) => {
  let count = 0;
  return text.replaceAll(gap, () => `{${count++}}`);
};

/** Formulas of single letters are the same in every language; words are not. */
const hasWords = (text) => /[A-Za-z]{2}/.test(text.replaceAll(gap, ' '));

/** Whether a text can be known by its own words; "{0} of {1}." would be found in too many others. */
const says = (text) => hasWords(text) && (!text.startsWith(gap) || text.replace(/[^A-Za-z]/g, '').length > 3);

/** A text with words in it, from its first to its last sign. */
function readsAsSentence(text) {
  if (/^must /.test(text)) return true;
  if (!/\S\s+\S/.test(text) || isMarkup(text) || /\n|=>|;$/.test(text.trim())) return false;
  return /^\s*["“'A-Z\0]/.test(text) && /[.?!…]["”)]?$/.test(text.trimEnd()) && hasWords(text);
}

const isMarkup = (text) => /<\/[a-z]|\/>/.test(text);

/** What stands between the tags of a page, and what is read out instead. */
const wordsOfMarkup = (text) => [
  ...text.replace(/<style>[\s\S]*?<\/style>/g, '').split(/<[^>]*>/),
  ...[...text.matchAll(/aria-label="([^"\0]*)"/g)].map((m) => m[1]),
];

/** Templates of the sentences of some folders, each with the first file that has it. */
export function saidSentences(root, sourcesOf, folders = saidIn) {
  const found = new Map();
  for (const file of folders.flatMap(sourcesOf)) {
    const name = path.relative(root, file).split(path.sep).join('/');
    if (foreign.test(name)) continue;
    const { code } = transformSync(readFileSync(file, 'utf8'), { loader: 'ts', target: 'esnext' });
    const add = (text) => {
      const template = numbered(text.trim());
      if (says(text.trim()) && !found.has(template)) found.set(template, name);
    };
    const rules = {
      fields: ruleFor(spokenFields, name) ?? [],
      calls: ruleFor(spokenCalls, name) ?? {},
      tables: ruleFor(spokenTables, name) ?? [],
    };
    new Reader(add, rules).read(parseAst(code));
  }
  return found;
}

class Reader {
  constructor(add, rules) {
    this.add = add;
    Object.assign(this, rules);
  }

  /** Looks for what is said in a node that is nothing of the kind itself. */
  read(node) {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
        if (node.source) return;
        break;
      case 'TaggedTemplateExpression':
        if (isSay(node)) return this.said(node);
        break;
      case 'NewExpression':
        if (/Error$/.test(node.callee.name ?? '') && node.arguments.length > 0) {
          this.saidIfWords(node.arguments[0]);
          for (const rest of node.arguments.slice(1)) this.read(rest);
          return;
        }
        break;
      case 'CallExpression': {
        const name = node.callee.name ?? node.callee.property?.name;
        // These have a way of their own into the editor.
        if (name === 'sentence') return;
        if (!Object.hasOwn(this.calls, name ?? '')) break;
        this.read(node.callee);
        // After the place comes what is wrong there.
        const before = this.calls[name];
        const [first, ...rest] = node.arguments;
        if (!before) this.saidIfWords(first);
        for (const argument of rest) this.saidIfWords(argument, before);
        return;
      }
      case 'VariableDeclarator':
        if (!this.tables.includes(node.id.name)) break;
        return this.said(node.init);
      case 'Property':
        if (this.fields.includes(node.key.name)) return this.said(node.value);
        break;
      case 'Literal':
      case 'TemplateLiteral':
      case 'ConditionalExpression':
      case 'BinaryExpression': {
        const texts = readings(node);
        if (texts?.some((text) => isMarkup(text))) for (const text of texts) this.markup(text);
        else if (texts?.some(readsAsSentence)) return this.said(node);
        break;
      }
      default:
    }
    this.readChildren(node);
  }

  /** An argument is for people when it has several words; else it is a name. */
  saidIfWords(node, before = '') {
    const texts = readings(node);
    if (texts && before) for (const text of texts) this.add(before + text);
    else if (texts?.some((text) => /\S\s+\S/.test(text))) this.said(node);
    else this.read(node);
  }

  markup(text) {
    for (const words of wordsOfMarkup(text)) if (/[A-Za-z]/.test(words.replaceAll(gap, ''))) this.add(words);
  }

  readChildren(node) {
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value])
        if (typeof child?.type === 'string') this.read(child);
  }

  /** A node whose value is shown to people. */
  said(node) {
    if (node.type === 'ObjectExpression') {
      for (const property of node.properties) this.said(property.value);
      return;
    }
    const texts = readings(node);
    if (!texts) return this.saidWithin(node);
    if (texts.some(isMarkup)) return this.read(node);
    if (texts.length <= mostReadings) {
      for (const text of texts) this.add(text);
      this.valuesOf(node, (value) => this.saidWithin(value));
      return;
    }
    // Too many ways to say it: the frame, and its parts as phrases.
    const whole = node.type === 'TaggedTemplateExpression' ? node.quasi : node;
    if (whole.type !== 'TemplateLiteral') return this.saidWithin(whole);
    this.add(whole.quasis.map((quasi) => quasi.value.cooked).join(gap));
    for (const expression of whole.expressions) this.said(expression);
  }

  /** The values in a text: what is no text itself. */
  valuesOf(node, each) {
    switch (node?.type) {
      case 'Literal':
        return;
      case 'TaggedTemplateExpression':
        return this.valuesOf(node.quasi, each);
      case 'TemplateLiteral':
        for (const expression of node.expressions) this.valuesOf(expression, each);
        return;
      case 'ConditionalExpression':
        each(node.test);
        this.valuesOf(node.consequent, each);
        this.valuesOf(node.alternate, each);
        return;
      case 'LogicalExpression':
      case 'BinaryExpression':
        this.valuesOf(node.left, each);
        this.valuesOf(node.right, each);
        return;
      default:
        if (node) each(node);
    }
  }

  /** A value that is put into a text: the texts of lists in it, `list.map((x) => "...").join(", ")`, are said too. */
  saidWithin(node) {
    if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
      this.saidWithin(node.callee.object);
      for (const argument of node.arguments) {
        const body = argument.type === 'ArrowFunctionExpression' ? argument.body : null;
        if (body && node.callee.property.name === 'map' && readings(body)) this.said(body);
        else this.read(argument);
      }
      return;
    }
    if (node.type === 'ArrayExpression') {
      for (const element of node.elements) if (readings(element)) this.said(element);
      return;
    }
    this.read(node);
  }
}
