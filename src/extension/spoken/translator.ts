/** A sentence in the user's language, and how many of its characters templates have accounted for. */
interface Told {
  readonly text: string;
  readonly known: number;
}

/** Texts that are kept; those of a window that has been open for days are looked up anew now and then. */
const mostKept = 4000;
/** A text of more pieces than this is a table or a listing, and is looked up as a whole only. */
const mostPieces = 120;
/** Pieces that a sentence may have: commas and colons are within sentences as well as between them. */
const longest = 24;

/** Between two pieces: after the end of a sentence, at a line, and at signs that join phrases. */
const joint = /(?<=[.?!…])[ \n]+|\n|, (?![\d.+−-])|; |: /g;
const fullWidth: Readonly<Record<string, string>> = { ', ': '，', '; ': '；', ': ': '：' };
const chineseEnd = /[。？！；：，]$/;

/**
 * Finds the template that an English text was made from, and says it in another language. What stands in the gaps of a
 * template is translated as well where it is a phrase; texts of several sentences, and lists, are read piece by piece. Of
 * all ways to read a text the one that leaves least of it to gaps is taken. What nobody knows stays as it is.
 */
export class Translator {
  private readonly exact: ReadonlyMap<string, string>;
  private readonly byStart = new Map<string, Template[]>();
  private readonly startingWithGap: Template[] = [];
  private readonly told = new Map<string, Told>();
  private readonly parts = new Map<string, Told | null>();

  /** `words` are texts without gaps that have a translation elsewhere. */
  constructor(texts: Readonly<Record<string, string>>, words: Readonly<Record<string, string>> = {}) {
    this.exact = new Map([...Object.entries(words), ...Object.entries(texts)]);
    for (const [english, translation] of Object.entries(texts)) {
      const template = new Template(english, translation);
      if (template.gaps === 0) continue;
      if (template.start.length < keyLength) this.startingWithGap.push(template);
      else {
        const key = template.start.slice(0, keyLength);
        const group = this.byStart.get(key) ?? [];
        this.byStart.set(key, group);
        group.push(template);
      }
    }
  }

  translate(text: string): string {
    const { text: said } = this.read(text);
    this.parts.clear();
    return said;
  }

  /** The text between the tags of a page, and what is read out instead of pictures. */
  translatePage(html: string): string {
    const said = (text: string): string => {
      const [, before, words, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? ['', '', text, ''];
      return /[A-Za-z]/.test(words) ? `${before}${escaped(this.translate(plain(words)))}${after}` : text;
    };
    return html.replace(
      /<(style|script)\b[\s\S]*?<\/\1>|(?<=>)[^<>]+(?=<)|(?<= aria-label=")[^"]+(?=")/g,
      (whole, kind?: string) => (kind ? whole : said(whole)),
    );
  }

  private read(text: string): Told {
    const kept = this.told.get(text);
    if (kept) return kept;
    const found = this.readAnew(text);
    if (this.told.size >= mostKept) this.told.clear();
    this.told.set(text, found);
    return found;
  }

  private readAnew(text: string): Told {
    const exact = this.exact.get(text);
    if (exact !== undefined) return { text: exact, known: text.length };
    const whole = this.asOne(text);
    const pieces = piecesOf(text);
    if (pieces.length < 2 || pieces.length > mostPieces) return whole ?? this.aside(text);
    const joined = this.asMany(text, pieces);
    return whole && whole.known > joined.known ? whole : joined;
  }

  /** A text as one template; its full stop may have been added or taken away by whoever put it into another text. */
  private asOne(text: string): Told | null {
    const found = this.matched(text);
    if (text.endsWith('.')) {
      const bare = this.matched(text.slice(0, -1));
      return bare && bare.known + 1 > (found?.known ?? 0)
        ? { text: `${bare.text}。`, known: bare.known + 1 }
        : found;
    }
    if (found) return found;
    const stopped = this.matched(`${text}.`);
    return stopped && { text: stopped.text.replace(/。$/, ''), known: stopped.known - 1 };
  }

  /** The template that fits best. The same parts come up again and again while a text is read. */
  private matched(text: string): Told | null {
    const exact = this.exact.get(text);
    if (exact !== undefined) return { text: exact, known: text.length };
    const kept = this.parts.get(text);
    if (kept !== undefined) return kept;
    const candidates = [...(this.byStart.get(text.slice(0, keyLength)) ?? []), ...this.startingWithGap];
    let best: Told | null = null;
    for (const template of candidates) {
      const values = template.match(text)?.map((value) => this.value(value));
      if (!values) continue;
      const known = values.reduce((sum, value) => sum + value.known, template.known);
      if (!best || known > best.known) best = { text: template.fill(values.map((v) => v.text)), known };
    }
    this.parts.set(text, best);
    return best;
  }

  /** What stands in a gap: a phrase is translated; a single word is a name or a number. */
  private value(text: string): Told {
    const words = text.trim();
    if (!/\s/.test(words) || !/[A-Za-z]{2}/.test(words)) return { text, known: 0 };
    const told = this.read(words);
    if (told.known === 0) return { text, known: 0 };
    return told;
  }

  /** The best way to cut a text into templates and rests. */
  private asMany(text: string, pieces: readonly Piece[]): Told {
    const n = pieces.length;
    const best: Told[] = Array.from({ length: n + 1 }, () => ({ text: '', known: 0 }));
    for (let i = n - 1; i >= 0; i--) {
      let found: Told | null = null;
      for (let j = i; j < Math.min(n, i + longest); j++) {
        const part = text.slice(pieces[i].from, pieces[j].to);
        // A single word in a list is a name, of a field for one.
        const told = (/\s/.test(part) ? this.asOne(part) : null) ?? (j === i ? this.aside(part) : null);
        if (!told) continue;
        const rest = best[j + 1];
        const known = told.known + rest.known;
        if (found && known <= found.known) continue;
        const sign = j + 1 < n ? text.slice(pieces[j].to, pieces[j + 1].from) : '';
        found = { text: told.text + jointOf(sign, told) + rest.text, known };
      }
      best[i] = found ?? best[i];
    }
    return best[0];
  }

  /** A name with a remark in brackets behind it, or a phrase with a number behind it. */
  private aside(text: string): Told {
    const [, name, remark] = /^(\S+) \((.+)\)$/s.exec(text) ?? [];
    const told = remark === undefined ? null : this.read(remark);
    if (told && told.known > 0) return { text: `${name}（${told.text}）`, known: told.known };
    const [, phrase, number] = /^(.*\S) ([-−]?[\d.]+(?:e[-+]?\d+)?)$/.exec(text) ?? [];
    const words = phrase === undefined ? null : this.asOne(phrase);
    return words ? { text: `${words.text} ${number}`, known: words.known } : { text, known: 0 };
  }
}

/** A template of fewer fixed characters says too little to be found across the joints of a text. */
const telling = 10;
const jointed = /[.?!,;:] |\n/;
/** Between words of two translations no space is needed. */
const spaceBetween = /(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])/g;

/** Characters by which templates are found that do not start with a gap. */
const keyLength = 2;

/** `The kernel has drifted by {0}.`: what is fixed, and what the translation says. */
class Template {
  private readonly parts: readonly string[];
  private readonly translation: readonly string[];
  /** Fixed characters. */
  readonly known: number;

  constructor(english: string, translation: string) {
    this.parts = english.split(/\{\d+\}/);
    this.translation = translation.split(/\{(\d+)\}/);
    this.known = this.parts.reduce((sum, part) => sum + part.length, 0);
  }

  get gaps(): number {
    return this.parts.length - 1;
  }

  get start(): string {
    return this.parts[0];
  }

  /** What stands in the gaps, in their order in English; null when the text is not made from this template. */
  match(text: string): string[] | null {
    const { parts } = this;
    const end = parts[parts.length - 1];
    const last = text.length - end.length;
    if (!text.endsWith(end) || !text.startsWith(parts[0]) || last < parts[0].length) return null;
    const values: string[] = [];
    let at = parts[0].length;
    for (let i = 1; i < parts.length - 1; i++) {
      const next = text.indexOf(parts[i], at);
      if (next < 0 || next + parts[i].length > last) return null;
      values.push(text.slice(at, next));
      at = next + parts[i].length;
    }
    values.push(text.slice(at, last));
    return this.known < telling && values.some((value) => jointed.test(value)) ? null : values;
  }

  fill(values: readonly string[]): string {
    const text = this.translation.map((part, i) => (i % 2 === 0 ? part : values[Number(part)])).join('');
    return text.replace(spaceBetween, '');
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const sign of text.matchAll(joint)) {
    pieces.push({ from, to: sign.index });
    from = sign.index + sign[0].length;
  }
  return [...pieces, { from, to: text.length }];
}

/** The sign behind a piece; names and places of files keep theirs. */
function jointOf(sign: string, left: Told): string {
  if (sign.includes('\n')) return sign;
  if (sign.trim() === '') return chineseEnd.test(left.text) ? '' : sign;
  return left.known > 0 ? (fullWidth[sign] ?? sign) : sign;
}

const signs: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
const codes = Object.fromEntries(Object.entries(signs).map(([code, sign]) => [sign, code]));
const plain = (text: string): string => text.replace(/&(?:amp|lt|gt|quot);/g, (code) => signs[code]);
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => codes[sign]);
