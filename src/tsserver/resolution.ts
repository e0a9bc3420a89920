import type ts from 'typescript-classic';

/** Absolute paths with slashes. */
export interface Declarations {
  readonly kernelscope: string;
  readonly tensorflow: string;
}

/** TensorFlow.js by the names under which model files get the trainer's copy of it. */
const tensorflow = /^@tensorflow\/tfjs(-core|-layers|-node)?$/;
const installable = ['@tensorflow/tfjs', '@tensorflow/tfjs-node'];

const patched = new WeakSet<ts.LanguageServiceHost>();

/**
 * Lets a project find 'kernelscope' and '@tensorflow/tfjs' where it finds none itself. Our own declarations take their
 * TensorFlow.js from beside the model file when there is one: two copies of its classes would not fit each other.
 */
export function giveTypes(typescript: typeof ts, host: ts.LanguageServiceHost, given: Declarations): void {
  if (patched.has(host)) return;
  patched.add(host);
  let modelFile: string | undefined;

  const declared = (resolvedFileName: string): ts.ResolvedModuleFull => ({
    resolvedFileName,
    extension: typescript.Extension.Dts,
    isExternalLibraryImport: true,
  });

  function installed(options: ts.CompilerOptions): ts.ResolvedModuleFull | undefined {
    if (!modelFile) return undefined;
    for (const name of installable) {
      const found = typescript.resolveModuleName(name, modelFile, options, host).resolvedModule;
      if (found) return found;
    }
    return undefined;
  }

  /** The answer for one import; what was found stays, except inside our own declarations. */
  function answer(
    name: string,
    from: string,
    found: ts.ResolvedModuleFull | undefined,
    options: ts.CompilerOptions,
  ): ts.ResolvedModuleFull | undefined {
    try {
      if (tensorflow.test(name) && from === given.kernelscope)
        return installed(options) ?? declared(given.tensorflow);
      if (found) return found;
      if (tensorflow.test(name)) return declared(given.tensorflow);
      if (name !== 'kernelscope') return undefined;
      modelFile ??= from;
      return declared(given.kernelscope);
    } catch {
      return found;
    }
  }

  // TypeScript 5 and newer.
  const literals = host.resolveModuleNameLiterals?.bind(host);
  if (literals)
    host.resolveModuleNameLiterals = (modules, from, redirected, options, ...rest) =>
      literals(modules, from, redirected, options, ...rest).map((entry, i) => {
        const resolvedModule = answer(modules[i].text, from, entry.resolvedModule, options);
        return resolvedModule === entry.resolvedModule ? entry : { ...entry, resolvedModule };
      });
  // Older ones.
  const names = host.resolveModuleNames?.bind(host);
  if (names)
    host.resolveModuleNames = (modules, from, reused, redirected, options, ...rest) =>
      names(modules, from, reused, redirected, options, ...rest).map((found, i) =>
        answer(modules[i], from, found as ts.ResolvedModuleFull | undefined, options),
      );
}
