export function compileShared(): Promise<Uint8Array>;
