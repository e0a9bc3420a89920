/**
 * A plugin of TypeScript's server, which VS Code loads with the extension: where ordinary resolution finds no
 * 'kernelscope' or '@tensorflow/tfjs', the declarations that the extension ships answer. Nothing is written into the
 * workspace, and a package that is installed there always wins.
 */
import path from 'node:path';
import type ts from 'typescript-classic';
import { nameImports } from './importNames.js';
import { type Declarations, giveTypes } from './resolution.js';

const slashes = (file: string): string => file.replaceAll('\\', '/');

/** Where build.js puts them: imports are offered of files outside node_modules only, and ours should be. */
const declarations: Declarations = {
  kernelscope: slashes(path.join(__dirname, '..', '..', 'dist', 'editor', 'kernelscope.d.ts')),
  tensorflow: slashes(path.join(__dirname, 'tensorflow', 'index.d.ts')),
};

/** What tsserver calls with its own TypeScript; `create` runs once a project. */
export default function plugin({ typescript }: { typescript: typeof ts }): ts.server.PluginModule {
  return {
    create({ languageService, languageServiceHost, project }) {
      try {
        giveTypes(typescript, languageServiceHost, declarations);
        return nameImports(languageService, declarations.kernelscope);
      } catch (error) {
        // Without our types the editor still works.
        project.projectService.logger.info(`kernelscope: ${error}`);
        return languageService;
      }
    },
  };
}
