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
/** Templates of what is said below the editor, with the first file that has it. */
export declare function said(): ReadonlyMap<string, string>;
export declare function saidFile(language: string): string;
export declare function readSaid(language: string): Readonly<Record<string, string>>;
