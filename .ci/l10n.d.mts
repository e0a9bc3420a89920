export declare const folders: readonly string[];
export declare const languages: readonly string[];
export declare const words: { readonly regime: readonly string[]; readonly status: readonly string[] };
/** Sentence to the first file that has it; calls whose sentence cannot be read from the source, in words. */
export declare function sentencesOf(inFolders?: readonly string[]): {
  readonly used: ReadonlyMap<string, string>;
  readonly unreadable: readonly string[];
};
export declare function bundleFile(language: string): string;
export declare function readBundle(language: string): Readonly<Record<string, string>>;
