export function compileInPlace(): Promise<Uint8Array>;
