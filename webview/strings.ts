/**
 * Words of the webview pages. The keys are the English sentences; the host sends translations as one object
 * (`hello.strings`), found by the same key.
 */
let translations: Readonly<Record<string, string>> = {};

export function setTranslations(strings: Readonly<Record<string, string>>): void {
  translations = strings;
}

/** The sentence in the user's language, with {0}, {1} ... filled in. */
export function t(sentence: string, ...values: readonly (string | number)[]): string {
  const text = translations[sentence] ?? sentence;
  return text.replace(/\{(\d+)\}/g, (whole, index) => String(values[Number(index)] ?? whole));
}
