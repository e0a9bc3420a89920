export function compile(folder?: URL, more?: readonly string[]): Promise<Uint8Array>;
export function moduleText(bytes: Uint8Array): string;
