import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { encodeNpy, type NpyData } from '../../src/core/npy.js';
import { encodeNpz } from '../../src/core/npz.js';
import type { DataSpec } from '../../src/experiment/definition.js';
import { type Dataset, loadData } from '../../src/network/data/index.js';
import { temporaryFolder } from '../helpers/folders.js';

const folder = temporaryFolder();
afterAll(() => folder.clean());

type Loss = 'mse' | 'crossEntropy';
type Csv = Partial<Extract<DataSpec, { kind: 'csv' }>>;
type Arrays = Partial<Extract<DataSpec, { kind: 'npz' | 'npy' }>>;

let count = 0;
const written = (name: string, bytes: string | Uint8Array): string => {
  const file = path.join(folder.path, `${count++}-${name}`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};
const context = (loss: Loss = 'mse') => ({ folder: folder.path, seed: 1, loss });

/** Every sample of both parts as [inputs | targets], sorted: the split permutes them. */
function samplesOf(data: Dataset): string[] {
  return [data.train, data.test]
    .flatMap(({ size, x, y }) =>
      Array.from({ length: size }, (_, i) => {
        const inputs = x.subarray((i * x.length) / size, ((i + 1) * x.length) / size);
        const targets = y.subarray((i * y.length) / size, ((i + 1) * y.length) / size);
        return `${Array.from(inputs).join(' ')} | ${Array.from(targets).join(' ')}`;
      }),
    )
    .sort();
}

interface Right {
  readonly samples?: readonly string[];
  readonly size?: number;
  readonly classes?: number | null;
  readonly outputs?: number;
  readonly notes?: readonly RegExp[];
  readonly silent?: boolean;
  readonly shape?: readonly number[];
}

function check(load: () => Dataset, right: Right | RegExp, at?: Partial<InputError['place']>): void {
  if (right instanceof RegExp) {
    let thrown: unknown;
    try {
      load();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InputError);
    expect((thrown as InputError).message).toMatch(right);
    if (at) expect((thrown as InputError).place).toMatchObject(at);
    return;
  }
  const data = load();
  if (right.samples) expect(samplesOf(data)).toEqual([...right.samples].sort());
  if (right.size !== undefined) expect(data.train.size + data.test.size).toBe(right.size);
  if (right.classes !== undefined) expect(data.classes).toBe(right.classes);
  if (right.outputs !== undefined) expect(data.outputs).toBe(right.outputs);
  if (right.shape) expect(data.inputShape).toEqual(right.shape);
  const notes = (data.notes ?? []).join('\n');
  for (const note of right.notes ?? []) expect(notes).toMatch(note);
  if (right.silent) expect(notes).toBe('');
}

const plain: Csv = { standardize: false };
const abc = ['1 2 | 3', '4 5 | 6', '7 8 | 9'];
const utf16 = (text: string, big: boolean) => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
const many = (n: number, line: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

describe('tables of text', () => {
  const cases: [string, string | Uint8Array, Csv, Right | RegExp, Loss?][] = [
    ['commas.csv', 'a,b,c\n1,2,3\n4,5,6\n7,8,9\n', plain, { samples: abc, silent: true }],
    ['windows.csv', 'a,b,c\r\n1,2,3\r\n4,5,6\r\n7,8,9', plain, { samples: abc, silent: true }],
    ['mac.csv', 'a,b,c\r1,2,3\r4,5,6\r7,8,9', plain, { samples: abc }],
    [
      'semicolons.csv',
      'a;b;c\n1;2;3\n4;5;6\n7;8;9',
      plain,
      { samples: abc, notes: [/parted by semicolons/] },
    ],
    ['tabs.tsv', 'a\tb\tc\n1\t2\t3\n4\t5\t6\n7\t8\t9', plain, { samples: abc, silent: true }],
    ['bars.txt', 'a|b|c\n1|2|3\n4|5|6\n7|8|9', plain, { samples: abc, notes: [/parted by bars/] }],
    [
      'spaces.data',
      'a  b c\n1   2  3\n 4  5  6\n7  8 9\n',
      plain,
      { samples: abc, notes: [/parted by spaces/] },
    ],
    ['given.csv', 'a:b:c\n1:2:3\n4:5:6\n7:8:9', { ...plain, delimiter: ':' }, { samples: abc, silent: true }],
    ['sep.csv', 'sep=;\na;b;c\n1;2;3\n4;5;6\n7;8;9', plain, { samples: abc }],
    [
      'bom.csv',
      '\uFEFFa,b,c\n1,2,3\n4,5,6\n7,8,9',
      { ...plain, target: 'a' },
      { samples: ['2 3 | 1', '5 6 | 4', '8 9 | 7'] },
    ],
    ['utf16le.csv', utf16('a,b,c\n1,2,3\n4,5,6\n7,8,9', false), plain, { samples: abc }],
    ['utf16be.csv', utf16('a,b,c\n1,2,3\n4,5,6\n7,8,9', true), plain, { samples: abc }],
    [
      'latin1.csv',
      Buffer.from('gr\xf6\xdfe,b,c\n1,2,3\n4,5,6\n7,8,9', 'latin1'),
      { ...plain, target: 'größe' },
      { samples: ['2 3 | 1', '5 6 | 4', '8 9 | 7'], notes: [/is not UTF-8 and is read as Latin-1/] },
    ],
    ['packed.csv.gz', gzipSync('a,b,c\n1,2,3\n4,5,6\n7,8,9'), plain, { samples: abc }],
    [
      'quotes.csv',
      '"a, first","b ""x""",c\n"1","2",3\n4,"5","6"\n7,8,9',
      { ...plain, target: 'a, first' },
      { samples: ['2 3 | 1', '5 6 | 4', '8 9 | 7'] },
    ],
    ['quoted-break.csv', '"a\nfirst",b,c\n1,2,3\n4,5,6\n7,8,9', plain, { samples: abc }],
    [
      'open-quote.csv',
      'a,b,c\n1,"2,3\n4,5,6\n',
      plain,
      /open-quote\.csv, line \d: a quoted cell is not closed/,
    ],
    [
      'no-header.csv',
      '1,2,3\n4,5,6\n7,8,9',
      plain,
      { samples: abc, notes: [/no names of columns: line 1 is the first sample/] },
    ],
    [
      'no-header-text.csv',
      '1,2,x\n4,5,y\n7,8,x',
      plain,
      { size: 3, classes: 2, notes: [/line 1 is the first sample/, /2 classes \(x, y\)/] },
    ],
    [
      'first-missing.csv',
      ',2,3\n4,5,6\n7,8,9\n10,11,12',
      plain,
      { size: 3, notes: [/line 1 is the first sample/, /missing in 1 of 4 rows \(column "0"; line 1/] },
    ],
    [
      'all-text.csv',
      'red,yes\nblue,no\nred,no\nblue,yes',
      plain,
      { size: 4, classes: 2, notes: [/line 1 is the first sample/] },
    ],
    [
      'text-names.csv',
      'colour,answer\nred,yes\nblue,no\nred,no',
      plain,
      { size: 3, notes: [/line 1 is taken for the names/] },
    ],
    ['forced.csv', '1,2,3\n4,5,6\n7,8,9', { ...plain, header: true }, { samples: ['4 5 | 6', '7 8 | 9'] }],
    ['forced-not.csv', 'a,b,c\nd,e,f', { ...plain, header: false }, { size: 2 }],
    ['sklearn.csv', '3,2,setosa,virginica\n1,2,3,0\n4,5,6,1\n7,8,9,0', plain, { size: 3 }],
    ['savetxt.csv', '# a b c\n1.0e+00 2.0e+00 3.0e+00\n4e0 5 6\n7 8 9', plain, { samples: abc }],
    ['remark.csv', '# written on a Monday, by hand\na,b,c\n1,2,3\n4,5,6\n7,8,9', plain, { samples: abc }],
    [
      'pandas.csv',
      ',a,b,c\n0,1,2,3\n1,4,5,6\n2,7,8,9',
      plain,
      { samples: abc, notes: [/column 0 has no name and only names the rows/] },
    ],
    [
      'unnamed.csv',
      'Unnamed: 0,a,b,c\n5,1,2,3\n6,4,5,6\n7,7,8,9',
      plain,
      { samples: abc, notes: [/only names the rows/] },
    ],
    [
      'r.csv',
      '"a","b","c"\n"Mazda",1,2,3\n"Fiat",4,5,6\n"Volvo",7,8,9',
      plain,
      { samples: abc, notes: [/only names the rows/] },
    ],
    [
      'decimal-comma.csv',
      'a;b;c\n1,5;2;3\n4,5;5;6\n7;8;9',
      plain,
      {
        samples: ['1.5 2 | 3', '4.5 5 | 6', '7 8 | 9'],
        notes: [/column "a" is read with decimal commas \(1,5\)/],
      },
    ],
    [
      'thousands.csv',
      'a,b,c\n"1,500",2,3\n4,5,6\n7,8,9',
      plain,
      { samples: ['1500 2 | 3', '4 5 | 6', '7 8 | 9'], notes: [/commas between thousands/] },
    ],
    [
      'exponents.csv',
      'a,b,c\n1e3,-2.5E-1,+3\n.5,5.,6\n7,8,9',
      plain,
      { samples: ['1000 -0.25 | 3', '0.5 5 | 6', '7 8 | 9'] },
    ],
    ['minus.csv', 'a,b,c\n\u22121,2,3\n4,5,6\n7,8,9', plain, { samples: ['-1 2 | 3', '4 5 | 6', '7 8 | 9'] }],
    [
      'ragged.csv',
      'a,b,c\n1,2,3\n4,5\n7,8,9',
      plain,
      /ragged\.csv, line 3: there are 2 cells, but 3 columns/,
    ],
    [
      'trailing.csv',
      'a,b,c,\n1,2,3,\n4,5,6,\n7,8,9,',
      plain,
      { samples: abc, notes: [/column 3 is empty and left out/] },
    ],
    ['blank-lines.csv', '\n\na,b,c\n1,2,3\n\n4,5,6\n7,8,9\n\n', plain, { samples: abc }],
    ['empty.csv', '', plain, /empty\.csv holds no rows/],
    ['names-only.csv', 'a,b,c\n', plain, /names-only\.csv holds names of columns, but no rows/],
    ['one-column.csv', 'a\n1\n2\n3', plain, /has no column left for inputs/],
    [
      'missing.csv',
      'a,b,c\n1,,3\n4,5,6\n7,8,9',
      plain,
      {
        samples: ['4 5 | 6', '7 8 | 9'],
        notes: [/missing in 1 of 3 rows \(column "b"; line 2 .*left out \(data\.missing: 'mean'/],
      },
    ],
    [
      'missing-words.csv',
      `a,b,c\nNA,1,1\n2,n/a,2\n?,3,3\n4,null,4\n${many(12, (i) => `${i},${i},${i}`)}`,
      plain,
      { size: 12, notes: [/missing in 4 of 16 rows \(column "a", "b"; line 2/] },
    ],
    [
      'missing-mean.csv',
      'a,b,c\n1,,3\n4,5,6\n7,9,9',
      { ...plain, missing: 'mean' },
      { samples: ['1 7 | 3', '4 5 | 6', '7 9 | 9'], notes: [/replaced by the mean of their column/] },
    ],
    [
      'missing-most.csv',
      'a,b,c\n1,,3\n4,,6\n7,8,9',
      plain,
      /line 2: values are missing in 2 of 3 rows \(column "b".*'mean' or 'drop'/,
    ],
    [
      'missing-drop.csv',
      'a,b,c\n1,,3\n4,,6\n7,8,9\n1,1,1',
      { ...plain, missing: 'drop' },
      { samples: ['1 1 | 1', '7 8 | 9'] },
    ],
    [
      'missing-target.csv',
      'a,b,c\n1,2,\n4,5,6\n7,8,9',
      { ...plain, missing: 'mean' },
      { samples: ['4 5 | 6', '7 8 | 9'], notes: [/1 of 3 rows have no target \(line 2/] },
    ],
    [
      'missing-dash.csv',
      `a,b,c\n-,2,3\n${many(9, (i) => `${i},1,${i}`)}`,
      plain,
      { size: 9, notes: [/missing in 1 of 10 rows/] },
    ],
    [
      'nan.csv',
      'a,b,c\n1,2,3\n4,nan,6\n7,8,9',
      plain,
      /nan\.csv, line 3: column "b" is "nan", which is not finite.*data\.missing/,
    ],
    [
      'nan-mean.csv',
      'a,b,c\n1,2,3\n4,NaN,6\n7,8,9',
      { ...plain, missing: 'mean' },
      { samples: ['1 2 | 3', '4 5 | 6', '7 8 | 9'] },
    ],
    [
      'infinite.csv',
      'a,b,c\n1,2,3\n4,5,6\n-inf,8,9',
      plain,
      /line 4: column "a" is "-inf", which is not finite/,
    ],
    [
      'infinite-target.csv',
      'a,b,c\n1,2,3\n4,5,Infinity\n1,8,9',
      plain,
      /line 3: column "c" is "Infinity", which is not finite/,
    ],
    [
      'overflow.csv',
      'a,b,c\n1,2,3\n4,1e999,6\n1,8,9',
      plain,
      /line 3: column "b" is "1e999", which is not finite/,
    ],
    ['nan-target.csv', 'a,b,c\n1,2,nan\n4,5,6\n1,8,9', plain, /line 2: column "c" is "nan"/],
    [
      'categories.csv',
      'a,colour,c\n1,red,3\n4,blue,6\n7,red,9',
      plain,
      {
        samples: ['1 0 1 | 3', '4 1 0 | 6', '7 0 1 | 9'],
        notes: [/column "colour" holds texts and is one-hot: 2 inputs \(blue, red\)/],
      },
    ],
    [
      'categories-missing.csv',
      'a,colour,c\n1,red,3\n4,,6\n7,blue,9\n8,blue,8',
      { ...plain, missing: 'mean' },
      {
        size: 4,
        samples: ['1 0 1 | 3', `4 ${Math.fround(2 / 3)} ${Math.fround(1 / 3)} | 6`, '7 1 0 | 9', '8 1 0 | 8'],
      },
    ],
    [
      'half-numbers.csv',
      `a,doors,c\n${many(20, (i) => `${i},${['2', '3', '4', '5more'][i % 4]},${i}`)}`,
      plain,
      { size: 20, shape: [5], notes: [/"doors" holds texts/] },
    ],
    [
      'free-text.csv',
      `name,b,c\n${many(30, (i) => `person ${i},${i},${i}`)}`,
      plain,
      /column "name" holds 30 different texts in 30 rows.*data\.ignore: \['name'\]/,
    ],
    [
      'ignored.csv',
      `name,b,c\n${many(30, (i) => `person ${i},${i},${i}`)}`,
      { ...plain, ignore: ['name'] },
      { size: 30, shape: [1] },
    ],
    [
      'one-word.csv',
      `a,b,c\n${many(15, (i) => `${i === 7 ? 'oops' : i},2,3`)}`,
      plain,
      /line 9: column "a" is "oops"; it must be a number like most/,
    ],
    ...[
      '2020-01-03',
      '2020-01-03T10:00:00Z',
      '03/01/2020',
      '3.1.2020',
      '3 Jan 2020',
      'January 3, 2020',
      '10:30',
      '2020/1/3 10:30',
    ].map((date, i): [string, string, Csv, RegExp] => [
      `date${i}.csv`,
      `when,b,c\n${many(3, (k) => `"${date}",${k},${k}`)}`,
      plain,
      /column "when" holds dates or times \(.*line 2\).*data\.ignore: \['when'\]/,
    ]),
    ['date-number.csv', 'date,b,c\n20200103,2,3\n20200104,5,6', plain, /column "date" holds dates or times/],
    [
      'date-ignored.csv',
      'when,b,c\n2020-01-03,2,3\n2020-01-04,5,6',
      { ...plain, ignore: [0] },
      { samples: ['2 | 3', '5 | 6'] },
    ],
    [
      'classes.csv',
      'a,b,kind\n1,2,x\n4,5,z\n7,8,y\n1,1,x',
      plain,
      { classes: 3, outputs: 3, notes: [/the target "kind" has 3 classes \(x, y, z\)/] },
    ],
    ['one-class.csv', 'a,b,kind\n1,2,x\n4,5,x', plain, /holds only "x"; classification needs at least two/],
    [
      'text-regression.csv',
      'a,b,kind\n1,2,x\n4,5,z',
      { ...plain, task: 'regression' },
      /the target column "kind" holds texts \("x"\); regression needs numbers/,
    ],
    [
      'labels.csv',
      'a,b,kind\n1,2,0\n4,5,2\n7,8,1\n1,1,0',
      plain,
      { classes: 3, notes: [/holds the whole numbers 0, 1, 2: 3 classes/] },
      'crossEntropy',
    ],
    ['labels-mse.csv', 'a,b,kind\n1,2,0\n4,5,2\n7,8,1', plain, { classes: null, outputs: 1 }],
    [
      'floats.csv',
      'a,b,kind\n1,2,0.0\n4,5,2.0\n7,8,1.0',
      plain,
      /one output has no classes.*data\.task to 'classification'/,
      'crossEntropy',
    ],
    [
      'one-hot.csv',
      'a,p,q,r\n1,0,1,0\n2,1,0,0\n3,0,0,1\n4,0,1,0',
      { ...plain, target: ['p', 'q', 'r'] },
      { classes: 3, outputs: 3, notes: [/is one-hot: 3 classes/] },
      'crossEntropy',
    ],
    [
      'not-one-hot.csv',
      'a,p,q\n1,0,1\n2,0,0\n3,1,0',
      { ...plain, target: ['p', 'q'], task: 'classification' },
      /"p", "q" is \[0, 0\] in line 3; rows of classes are one-hot/,
    ],
    [
      'two-targets.csv',
      'a,p,q\n1,2,3\n4,5,6',
      { ...plain, target: ['p', 'q'] },
      { samples: ['1 | 2 3', '4 | 5 6'], outputs: 2 },
    ],
    [
      'no-target.csv',
      'a,b\n1,2\n3,4',
      { ...plain, target: 'c' },
      /data\.target is "c", but .* has the columns a, b/,
    ],
    ['twice.csv', 'a,a,b\n1,2,3\n4,5,6', { ...plain, target: 'a' }, /several columns of that name/],
    [
      'standardised.csv',
      'a,b,c\n1,2,3\n3,5,6\n5,8,9',
      {},
      { notes: [/numbers are standardised to mean 0 and deviation 1/] },
    ],
  ];
  it.each(cases)('%s', (name, bytes, spec, right, loss) => {
    const file = written(name, bytes);
    check(() => loadData({ kind: 'csv', path: file, ...spec }, context(loss)), right);
  });

  it('standardises numbers and leaves one-hot columns alone', () => {
    const file = written('s.csv', 'a,k,y\n1,p,0\n3,q,0\n5,p,0\n7,q,0');
    const rows = samplesOf(loadData({ kind: 'csv', path: file }, context()));
    const a = rows.map((row) => Number(row.split(' ')[0]));
    expect(a.reduce((s, v) => s + v, 0)).toBeCloseTo(0, 6);
    expect(a.reduce((s, v) => s + v * v, 0) / 4).toBeCloseTo(1, 6);
    expect(new Set(rows.map((row) => row.split(' ').slice(1, 3).join('')))).toEqual(new Set(['10', '01']));
  });
});

/** Bytes of an npy of any type name, byte order and memory order, written here from the definition of the format. */
function npyBytes(
  values: readonly number[],
  shape: readonly number[],
  type: string,
  { big = false, fortran = false } = {},
): Uint8Array {
  const size = Number(type.slice(1));
  const header =
    `{'descr': '${size === 1 ? '|' : big ? '>' : '<'}${type}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`.padEnd(
      117,
    );
  const out = Buffer.alloc(128 + values.length * size);
  out.write('\x93NUMPY\x01\x00', 'latin1');
  out.writeUInt16LE(118, 8);
  out.write(`${header}\n`, 10, 'latin1');
  const half = (v: number) => {
    const bits = new Uint32Array(Float32Array.of(v).buffer)[0];
    return v === 0
      ? 0
      : ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 255) - 112) << 10) | ((bits >>> 13) & 1023);
  };
  const column = (i: number) => {
    const [rows, cols] = shape;
    return shape.length === 2 && fortran ? (i % rows) * cols + Math.floor(i / rows) : i;
  };
  for (let i = 0; i < values.length; i++) {
    const view = new DataView(out.buffer, out.byteOffset + 128 + i * size, size);
    const v = values[column(i)];
    const little = !big;
    if (type === 'f2') view.setUint16(0, half(v), little);
    else if (type === 'f4') view.setFloat32(0, v, little);
    else if (type === 'f8') view.setFloat64(0, v, little);
    else if (size === 8) view.setBigInt64(0, BigInt(v), little);
    else if (size === 4) view.setInt32(0, v, little);
    else if (size === 2) view.setInt16(0, v, little);
    else view.setInt8(0, v);
  }
  return out;
}

const six = [1, 2, 3, 4, 5, 6];
const threeRows = ['1 2 | 0.5', '3 4 | -1.5', '5 6 | 2'];

describe('arrays of every type and order', () => {
  const types = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'];
  const orders = [{}, { big: true }, { fortran: true }, { big: true, fortran: true }];
  it.each(types.flatMap((type) => orders.map((order) => [type, order] as const)))('%s %o', (type, order) => {
    const values = type === 'b1' ? [1, 0, 1, 1, 0, 0] : six;
    const x = written('x.npy', npyBytes(values, [3, 2], type, order));
    const y = written('y.npy', npyBytes([0.5, -1.5, 2], [3], 'f8', order));
    const right = type === 'b1' ? ['0 0 | 2', '1 0 | 0.5', '1 1 | -1.5'] : threeRows;
    check(() => loadData({ kind: 'npy', path: x, targetPath: y }, context()), {
      samples: right,
      silent: true,
    });
  });

  const npz = (arrays: Record<string, [NpyData, number[]]>) =>
    encodeNpz(
      Object.fromEntries(Object.entries(arrays).map(([name, [data, shape]]) => [name, { data, shape }])),
    );
  const x: [NpyData, number[]] = [Float32Array.from(six), [3, 2]];
  const y: [NpyData, number[]] = [Float64Array.of(0.5, -1.5, 2), [3]];
  const four: [NpyData, number[]] = [Float32Array.of(1, 2, 3, 4), [4, 1]];
  const labels: [NpyData, number[]] = [Int32Array.of(0, 2, 1, 2), [4]];
  const cases: [string, Record<string, [NpyData, number[]]>, Arrays, Right | RegExp, Loss?][] = [
    ['x and y', { x, y }, {}, { samples: threeRows, silent: true }],
    ['other names', { a: x, b: y }, { x: 'a', y: 'b' }, { samples: threeRows, silent: true }],
    [
      'Keras names',
      { x_train: x, y_train: y },
      {},
      { samples: threeRows, notes: [/x_train is taken for x/, /y_train is taken for y/] },
    ],
    ['capital X', { X: x, y }, {}, { samples: threeRows }],
    ['images and labels', { images: four, labels }, {}, { classes: 3, notes: [/images is taken for x/] }],
    ['no names', { arr_0: x, arr_1: y }, {}, { samples: threeRows, notes: [/arr_0 is taken for x/] }],
    [
      'two that fit',
      { x_train: x, X_train: x, y },
      {},
      /holds x_train and X_train; say in data\.x which one is meant/,
    ],
    ['no y', { x }, {}, /has no array "y"; it holds x\. Set data\.x and data\.y/],
    ['not used', { x, y, extra: y }, {}, { samples: threeRows, notes: [/not used are extra/] }],
    ['half a test set', { x, y, xTest: x }, {}, /there is only one of xTest and yTest/],
    ['unequal', { x, y: [Float32Array.of(1, 2), [2]] }, {}, /x has 3 samples, but y has 2/],
    [
      'unequal test',
      { x, y, xTest: [Float32Array.of(1, 2, 3), [1, 3]], yTest: [Float32Array.of(1), [1]] },
      {},
      /x holds samples of shape \[2\], but xTest of \[3\]/,
    ],
    ['no samples', { x: [Float32Array.of(), [0, 2]], y: [Float32Array.of(), [0]] }, {}, /holds no samples/],
    ['flat inputs', { x: [Float32Array.of(1, 2, 3), [3]], y }, {}, { shape: [1], size: 3 }],
    [
      'labels',
      { x: four, y: labels },
      {},
      { classes: 3, outputs: 3, notes: [/whole numbers 0, 1, 2: 3 classes/] },
    ],
    [
      'labels in a column',
      { x: four, y: [Int32Array.of(0, 2, 1, 2), [4, 1]] },
      {},
      { classes: 3, outputs: 3 },
      'crossEntropy',
    ],
    ['labels of 64 bits', { x: four, y: [BigInt64Array.of(0n, 2n, 1n, 2n), [4]] }, {}, { classes: 3 }],
    ['booleans', { x: four, y: [Uint8Array.of(0, 1, 1, 0), [4]] }, {}, { classes: 2, outputs: 1 }],
    [
      'minus one and one',
      { x: four, y: [Int8Array.of(-1, 1, 1, -1), [4]] },
      {},
      { classes: 2, samples: ['1 | -1', '2 | 1', '3 | 1', '4 | -1'] },
    ],
    [
      'labels as numbers',
      { x: four, y: labels },
      { task: 'regression' },
      { classes: null, samples: ['1 | 0', '2 | 2', '3 | 1', '4 | 2'] },
    ],
    [
      'labels in floats',
      { x: four, y: [Float32Array.of(0, 2, 1, 2), [4]] },
      {},
      /y holds floating-point numbers \(0, 1, 2\), and one output has no classes/,
      'crossEntropy',
    ],
    [
      'labels in floats, said',
      { x: four, y: [Float32Array.of(0, 2, 1, 2), [4]] },
      { task: 'classification' },
      { classes: 3 },
      'crossEntropy',
    ],
    [
      'numbers as classes',
      { x: four, y: [Float32Array.of(0, 2.5, 1, 2), [4]] },
      { task: 'classification' },
      /y holds numbers \(2\.5 in row 1\), and one output has no classes/,
    ],
    [
      'one label',
      { x: four, y: [Int32Array.of(3, 3, 3, 3), [4]] },
      {},
      /holds only the label 3; classification needs at least two/,
      'crossEntropy',
    ],
    [
      'one-hot',
      { x: four, y: [Float32Array.of(0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0), [4, 3]] },
      {},
      {
        classes: 3,
        outputs: 3,
        samples: ['1 | 0 1 0', '2 | 1 0 0', '3 | 0 0 1', '4 | 0 1 0'],
        notes: [/is one-hot: 3 classes/],
      },
    ],
    [
      'one-hot of two',
      { x: four, y: [Uint8Array.of(0, 1, 1, 0, 1, 0, 0, 1), [4, 2]] },
      {},
      { classes: 2, outputs: 2 },
    ],
    [
      'one-hot with an empty class',
      { x: four, y: [Int32Array.of(0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0), [4, 3]] },
      {},
      { classes: 3, outputs: 3, samples: ['1 | 0 1 0', '2 | 1 0 0', '3 | 1 0 0', '4 | 0 1 0'] },
      'crossEntropy',
    ],
    [
      'several ones',
      { x: four, y: [Float32Array.of(1, 1, 1, 0, 1, 0, 0, 1), [4, 2]] },
      {},
      /y is \[1, 1\] in row 0; rows of classes are one-hot/,
      'crossEntropy',
    ],
    [
      'shares',
      { x: four, y: [Float32Array.of(0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.1, 0.9), [4, 2]] },
      {},
      { classes: null, outputs: 2, notes: [/shares of 2 classes/] },
      'crossEntropy',
    ],
    [
      'hardly classes',
      {
        x: [Float32Array.from({ length: 40 }, (_, i) => i), [40, 1]],
        y: [Int32Array.from({ length: 40 }, (_, i) => i), [40]],
      },
      {},
      { classes: null, notes: [/40 different whole numbers in 40 samples and is taken as numbers/] },
    ],
    [
      'NaN in x',
      { x: [Float32Array.of(1, 2, 3, Number.NaN, 5, 6), [3, 2]], y },
      {},
      /x is NaN in row 1, column 1 \(index \[1, 1\], from 0\)/,
    ],
    [
      'infinite x',
      { x: [Float64Array.of(1, 2, 3, 4, Number.NEGATIVE_INFINITY, 6), [3, 2]], y },
      {},
      /x is -Infinity in row 2, column 0/,
    ],
    [
      'beyond float32',
      { x: [Float64Array.of(1, 2, 3, 4, 1e300, 6), [3, 2]], y },
      {},
      /x is 1e\+300, beyond float32 in row 2, column 0/,
    ],
    [
      'NaN in y',
      { x, y: [Float32Array.of(1, 2, Number.NaN), [3]] },
      {},
      /y is NaN in row 2, column 0 \(index \[2\]/,
    ],
    [
      'infinite xTest',
      { x, y, xTest: [Float32Array.of(1, Infinity), [1, 2]], yTest: [Float32Array.of(1), [1]] },
      {},
      /xTest is Infinity in row 0, column 1/,
    ],
    [
      'NaN in yTest',
      { x, y, xTest: [Float32Array.of(1, 2), [1, 2]], yTest: [Float32Array.of(Number.NaN), [1]] },
      {},
      /yTest is NaN in row 0/,
    ],
    [
      'NaN in an image',
      {
        x: [Float32Array.from({ length: 24 }, (_, i) => (i === 17 ? Number.NaN : i)), [2, 2, 3, 2]],
        y: [Float32Array.of(1, 2), [2]],
      },
      {},
      /row 1, column 5 \(index \[1, 0, 2, 1\]/,
    ],
    [
      'NaN left out',
      { x: [Float32Array.of(1, 2, 3, Number.NaN, 5, 6), [3, 2]], y },
      { missing: 'drop' },
      { samples: ['1 2 | 0.5', '5 6 | 2'], notes: [/1 of 3 rows of x and y hold NaN and are left out/] },
    ],
    [
      'NaN replaced',
      { x: [Float32Array.of(1, 2, 3, Number.NaN, 5, 6), [3, 2]], y },
      { missing: 'mean' },
      { samples: ['1 2 | 0.5', '3 4 | -1.5', '5 6 | 2'], notes: [/1 missing values of x are replaced/] },
    ],
  ];
  it.each(cases)('an npz with %s', (_, arrays, spec, right, loss) => {
    const file = written('data.npz', npz(arrays));
    check(() => loadData({ kind: 'npz', path: file, ...spec }, context(loss)), right);
  });

  it('keeps to the test set of the file', () => {
    const arrays = {
      x,
      y,
      xTest: [Float32Array.of(101, 102), [1, 2]],
      yTest: [Float32Array.of(7), [1]],
    } as const;
    const file = written('split.npz', npz(arrays as unknown as Record<string, [NpyData, number[]]>));
    const data = loadData({ kind: 'npz', path: file }, context());
    expect([data.train.size, data.test.size]).toEqual([3, 1]);
    expect(Array.from(data.test.x)).toEqual([101, 102]);
    expect(Array.from(data.test.y)).toEqual([7]);
    expect(() => loadData({ kind: 'npz', path: file, test: 2 }, context())).toThrow(/ask for 3 \+ 2 samples/);
  });

  it('has the classes of both parts, in order', () => {
    const file = written(
      'classes.npz',
      npz({
        x_train: four,
        y_train: [Int32Array.of(5, 2, 5, 2), [4]],
        x_test: four,
        y_test: [Int32Array.of(2, 9, 9, 5), [4]],
      }),
    );
    const data = loadData({ kind: 'npz', path: file }, context());
    expect([data.train.size, data.test.size, data.classes]).toEqual([4, 4, 3]);
    expect(data.train.labels?.reduce((a, b) => Math.max(a, b), 0)).toBe(1);
  });

  it('takes a test set from npy files', () => {
    const file = (data: number[], shape: number[]) =>
      written('t.npy', encodeNpy(Float32Array.from(data), shape));
    const data = loadData(
      {
        kind: 'npy',
        path: file([1, 2], [2, 1]),
        targetPath: file([3, 4], [2]),
        xTest: file([9], [1, 1]),
        yTest: file([8], [1]),
      },
      context(),
    );
    expect([Array.from(data.test.x), Array.from(data.test.y)]).toEqual([[9], [8]]);
  });

  it('reads deflated archives, and says what is no archive', () => {
    expect(inflateRawSync(deflateRawSync(Buffer.from('x'))).toString()).toBe('x');
    const broken = written('broken.npz', 'no zip');
    check(() => loadData({ kind: 'npz', path: broken }, context()), /broken\.npz is not a zip archive/);
    check(
      () => loadData({ kind: 'npz', path: 'absent.npz' }, context()),
      /absent\.npz could not be read \(ENOENT\)/,
    );
    check(() => loadData({ kind: 'csv', path: '.' }, context()), /is a folder, not a file/);
  });
});
