import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CsvError, parse } from 'csv-parse/sync';
import { InputError } from '../../../core/errors.js';
import { say } from '../../../core/say.js';

/** The cells of a file by row, and the line (from 1) on which each row ends. */
export interface TextTable {
  readonly rows: readonly (readonly string[])[];
  readonly lines: readonly number[];
  readonly delimiter: string;
}

/** What parts cells, likeliest first; a comma may be a decimal one where another parts as evenly. */
const delimiters = ['\t', ';', '|', ',', ' '];
const called: Readonly<Record<string, string>> = {
  '\t': say`tabs`,
  ';': say`semicolons`,
  '|': say`bars`,
  ' ': say`spaces`,
};

/** A largest text of 1 GiB: more would not fit into a string. */
const mostBytes = 2 ** 29;

/**
 * Text of a file in UTF-8, UTF-16 or (said) Latin-1, with or without a byte order mark, packed by gzip or not. Throws an
 * InputError for a text that is too long.
 */
function textOf(bytes: Buffer, file: string, notes: string[]): string {
  let raw = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      raw = gunzipSync(bytes, { maxOutputLength: mostBytes });
    } catch (error) {
      throw new InputError(
        `${file} is packed by gzip, but could not be unpacked (${(error as Error).message}). Unpack it, or write it again.`,
        { file, field: 'data.path' },
      );
    }
  }
  if (raw.length > mostBytes)
    throw new InputError(
      `${file} has ${raw.length} bytes of text; up to ${mostBytes} are read. Save the numbers as an .npz file.`,
      { file, field: 'data.path' },
    );
  if (raw[0] === 0xff && raw[1] === 0xfe) return new TextDecoder('utf-16le').decode(raw);
  if (raw[0] === 0xfe && raw[1] === 0xff)
    return new TextDecoder('utf-16le').decode(Buffer.from(raw).swap16());
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    notes.push(say`${path.basename(file)} is not UTF-8 and is read as Latin-1.`);
    return raw.toString('latin1');
  }
}

/** How often a delimiter stands outside of quotes in a line. */
const countOf = (line: string, delimiter: string): number =>
  line.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length - 1;

/** The delimiter that parts most lines into equally many cells. */
function delimiterOf(text: string): string {
  const lines = text
    .slice(0, 65536)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .slice(0, 60)
    .map((line) => line.trim().replace(/ +/g, ' '));
  let best = ',';
  let most = 0;
  for (const delimiter of delimiters) {
    const counts = lines.map((line) => countOf(line, delimiter));
    const usual = modeOf(counts.length > 1 ? counts.slice(1) : counts);
    const share = usual === 0 ? 0 : counts.filter((c) => c === usual).length / counts.length;
    if (share > most + 0.05) {
      best = delimiter;
      most = share;
    }
  }
  return best;
}

function modeOf(values: readonly number[]): number {
  const times = new Map<number, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

/**
 * Rows of a text of cells: commas, semicolons, tabs, bars or spaces (found, and said, unless `delimiter` gives it), quoted
 * cells with breaks of line inside, `sep=;` in the first line, `#` before the names. Throws an InputError with the line.
 */
export function readTable(
  bytes: Buffer,
  file: string,
  delimiter: string | undefined,
  notes: string[],
): TextTable {
  let text = textOf(bytes, file, notes).replace(/^\uFEFF/, '');
  let skipped = 0;
  const stated = /^sep=(.)\r?\n/.exec(text);
  if (stated) {
    text = text.slice(stated[0].length);
    skipped = 1;
  }
  const chosen = delimiter ?? stated?.[1] ?? delimiterOf(text);
  if (!delimiter && !stated && chosen in called && !(chosen === '\t' && /\.tsv|\.tab/.test(file)))
    notes.push(say`${path.basename(file)} is parted by ${called[chosen]} (data.delimiter says otherwise).`);
  if (chosen === ' ' && !text.includes('"')) text = text.replace(/[ \t]+/g, ' ').replace(/^ | $/gm, '');
  // NumPy writes the names of columns behind a #, other programs remarks.
  const marked = text.startsWith('#');
  text = text.replace(/^#\s*/, '');
  const read = parsedBy(text, chosen, file, skipped);
  const remark = marked && read.length > 1 && read[0].record.length !== read[1].record.length;
  const parsed = remark ? read.slice(1) : read;
  return {
    rows: parsed.map(({ record }) => record),
    lines: parsed.map(({ info }) => info.lines + skipped),
    delimiter: chosen,
  };
}

function parsedBy(text: string, delimiter: string, file: string, skipped: number) {
  try {
    return parse(text, {
      delimiter,
      info: true,
      skip_empty_lines: true,
      relax_column_count: true,
      trim: true,
      comment: '#',
      comment_no_infix: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
  } catch (error) {
    const line = (error instanceof CsvError ? Number(error['lines']) : 1) + skipped;
    throw new InputError(
      `${file}, line ${line}: a quoted cell is not closed or has text behind it. Put quotes around the whole cell and double those inside.`,
      { file, line, field: 'data.path' },
    );
  }
}
