type Definition = Readonly<Record<string, unknown>>;

/** Fields of a definition by dotted path; lists are one field. */
export function leavesOf(definition: Definition): Map<string, unknown> {
  const out = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) walk(inner, path ? `${path}.${key}` : key);
    else out.set(path, value);
  };
  walk(definition, '');
  return out;
}

/** Paths of the fields that differ between two definitions. */
export function changedFields(before: Definition, after: Definition): string[] {
  const [a, b] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...a.keys(), ...b.keys()])].filter(
    (path) => JSON.stringify(a.get(path) ?? null) !== JSON.stringify(b.get(path) ?? null),
  );
}
