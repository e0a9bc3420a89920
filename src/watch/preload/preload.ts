/**
 * Loaded into a program before its own first line (`node --require`). Small on purpose: where nothing trains, this is all
 * that there is. The observer is loaded at the first step.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { readSettings, settingsVariable, type WatchSettings } from '../settings.js';
import type { ForeignEngine } from './foreign.js';
import { Hooks, type Listener } from './hooks.js';
import { trap } from './traps.js';

/** What the observer's bundle exports; `loading` milliseconds were spent on loading it. */
export type Observe = (
  engine: ForeignEngine,
  settings: WatchSettings,
  hooks: Hooks,
  loading: number,
) => Listener;

const loaded = Symbol.for('kernelscope.watch');
const settings = readSettings(process.env[settingsVariable]);

if (settings && !(loaded in globalThis)) {
  Reflect.defineProperty(globalThis, loaded, { value: true });
  const hooks = new Hooks((engine) => {
    const start = performance.now();
    const require = createRequire(__filename);
    const { observe } = require(path.join(__dirname, 'observer.js')) as { observe: Observe };
    return observe(engine, settings, hooks, performance.now() - start);
  });
  trap({
    engine: (engine) => hooks.attachEngine(engine),
    classes: (map) => hooks.attachClasses(map),
  });
}
