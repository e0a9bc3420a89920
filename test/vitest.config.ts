import { defineConfig } from 'vitest/config';

// Suites that run the bundles build them first.
const globalSetup = ['test/helpers/globalBuild.ts'];

const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include, ...options },
});

// TensorFlow.js keeps global state (engine, kernel registry), so every file gets a process of its own.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Polls end as soon as they hold; a busy machine is slow, not broken.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], { testTimeout: 60_000 }),
      project('golden', ['test/golden/**/*.test.ts'], { testTimeout: 120_000 }),
      project('trainer', ['test/trainer/**/*.test.ts'], {
        globalSetup,
        testTimeout: 120_000,
        fileParallelism: false,
      }),
      project('cli', ['test/cli/**/*.test.ts'], {
        globalSetup,
        testTimeout: 180_000,
        fileParallelism: false,
      }),
      project('ui', ['test/vscode/ui/**/*.test.ts'], {
        globalSetup,
        testTimeout: 180_000,
        hookTimeout: 180_000,
        fileParallelism: false,
      }),
      project('webview', ['test/webview/**/*.test.ts'], {
        globalSetup,
        testTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
