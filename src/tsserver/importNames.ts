import path from 'node:path';
import type ts from 'typescript-classic';

const quoted = /(["'])((?:\.{1,2}|[A-Za-z]:)?\/[^"'\n]+)\1/g;
const stem = (file: string): string => file.replace(/(\.d)?\.[jt]s$/, '').toLowerCase();

/**
 * A language service that offers imports of our declarations as 'kernelscope': TypeScript knows them by their path alone,
 * and would write the extension's folder into the user's file.
 */
export function nameImports(service: ts.LanguageService, declarations: string): ts.LanguageService {
  const ours = stem(declarations);

  const rename = (text: string, file: string): string =>
    text.replace(quoted, (whole, quote, specifier) => {
      const target = specifier.startsWith('.')
        ? path.posix.join(path.posix.dirname(file), specifier)
        : specifier;
      return stem(target) === ours ? `${quote}kernelscope${quote}` : whole;
    });
  const renamedChanges = (changes: readonly ts.FileTextChanges[]): ts.FileTextChanges[] =>
    changes.map((change) => ({
      ...change,
      textChanges: change.textChanges.map((edit) => ({
        ...edit,
        newText: rename(edit.newText, change.fileName),
      })),
    }));
  const renamed = <T extends ts.CodeAction>(action: T, file: string): T => ({
    ...action,
    description: rename(action.description, file),
    changes: renamedChanges(action.changes),
  });
  const display = [{ text: 'kernelscope', kind: 'text' }];

  return {
    ...service,
    getCompletionsAtPosition(...args) {
      const found = service.getCompletionsAtPosition(...args);
      return (
        found && {
          ...found,
          entries: found.entries.map((entry) =>
            entry.data?.fileName && stem(entry.data.fileName) === ours
              ? { ...entry, sourceDisplay: display }
              : entry,
          ),
        }
      );
    },
    getCompletionEntryDetails(file, ...rest) {
      const found = service.getCompletionEntryDetails(file, ...rest);
      const codeActions = found?.codeActions?.map((action) => renamed(action, file));
      return found && { ...found, codeActions };
    },
    getCodeFixesAtPosition(file, ...rest) {
      return service.getCodeFixesAtPosition(file, ...rest).map((fix) => renamed(fix, file));
    },
    getCombinedCodeFix(...args) {
      const found = service.getCombinedCodeFix(...args);
      return { ...found, changes: renamedChanges(found.changes) };
    },
  };
}
