/** The few names of WebAssembly and base64 that core uses; core is compiled without the types of any platform. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WasmNamespace {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
}

/** What assembly/index.ts exports; numbers are byte addresses, int32 or float64. */
export interface Exports {
  readonly memory: WasmMemory;
  tridiagonalise(
    a: number,
    stride: number,
    n: number,
    width: number,
    d: number,
    e: number,
    tau: number,
    panel: number,
    pack: number,
  ): void;
  applyReflectors(
    a: number,
    stride: number,
    n: number,
    tau: number,
    rows: number,
    count: number,
    transposed: number,
  ): void;
  implicitQl(
    d: number,
    e: number,
    n: number,
    block: number,
    stride: number,
    columns: number,
    buffer: number,
    capacity: number,
    records: number,
    limit: number,
  ): number;
}

/** WebAssembly of this platform, or undefined where there is none. */
export function webAssembly(): WasmNamespace | undefined {
  return (globalThis as { readonly WebAssembly?: WasmNamespace }).WebAssembly;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The bytes of base64 text. */
export function fromBase64(text: string): Uint8Array {
  const clean = text.replace(/=+$/, '');
  const out = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < clean.length; i++) {
    bits = (bits << 6) | alphabet.indexOf(clean[i]);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[at++] = (bits >> held) & 255;
  }
  return out;
}
