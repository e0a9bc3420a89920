export function compile(): Promise<Uint8Array>;
export function moduleText(bytes: Uint8Array): string;
