/**
 * A sentence that crosses a wire before it is shown: the text with {0}, {1} ... and what goes there. The host says it in
 * the user's language (the text is the key of its bundle), the command line in English.
 */
export interface Sentence {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

export const sentence = (text: string, ...values: readonly (string | number)[]): Sentence => ({
  text,
  values,
});

/** The sentence in English. */
export const spoken = ({ text, values }: Sentence): string =>
  text.replace(/\{(\d+)\}/g, (whole, index) => String(values[Number(index)] ?? whole));
