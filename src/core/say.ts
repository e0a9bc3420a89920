/**
 * Marks a text that people read: say`the drift is ${drift}` is the plain string `the drift is ...`. The editor translates
 * what it shows by the template it came from, and collects the templates from the sources; whole sentences and messages
 * of errors are found without the mark (see .ci/said.mjs).
 */
export const say = (parts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  parts.reduce((text, part, i) => `${text}${values[i - 1]}${part}`);
