import type { ForeignEngine } from './foreign.js';

/** The classes of one copy of TensorFlow.js, as they are registered for serialisation: name to class and maker. */
export type ClassMap = Readonly<Record<string, readonly [{ readonly prototype: object }, unknown]>>;

export interface Found {
  readonly engine: (engine: ForeignEngine) => void;
  readonly classes: (map: ClassMap) => void;
}

/** Classes that every copy registers: the last optimizer of the core, and the sequential model of the layers. */
const signs = ['SGD', 'Sequential'] as const;

/**
 * Notices every copy of TensorFlow.js that a program loads, whether as CommonJS, as ES modules or inside a bundle. All
 * copies share one engine, which the first of them sets as `globalThis._tfengine`, and each registers its classes in a plain
 * object under names that no bundler changes: accessors under these names see both. Costs nothing where no copy is loaded.
 */
export function trap(found: Found): void {
  const scope = globalThis as { _tfengine?: ForeignEngine };
  if (scope._tfengine) {
    found.engine(scope._tfengine);
    trapClasses(found);
  } else
    Reflect.defineProperty(globalThis, '_tfengine', {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set(engine: ForeignEngine) {
        own(globalThis, '_tfengine', engine);
        found.engine(engine);
        trapClasses(found);
      },
    });
}

/** Every copy makes or finds the engine before it registers its classes. */
function trapClasses(found: Found): void {
  for (const sign of signs)
    Reflect.defineProperty(Object.prototype, sign, {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set(this: object, value: unknown) {
        own(this, sign, value);
        if (Array.isArray(value) && typeof value[0] === 'function') found.classes(this as ClassMap);
      },
    });
}

const own = (target: object, name: string, value: unknown): boolean =>
  Reflect.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
