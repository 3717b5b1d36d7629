// Looks into the zod schema: what stands at a path, which keys it accepts, between which numbers. Used for hints,
// and by the test that keeps the reference example complete.

import { z } from 'zod';
import type { Path } from './nodes.ts';

/** The schemas that may apply at `path`, unions opened and optionals taken off; outermost first. */
function schemasAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType[] {
  const [step, ...rest] = path;
  const here = alternatives(schema);
  if (step === undefined) return here;
  return here.flatMap((each) => {
    if (each instanceof z.ZodObject) {
      const next: z.core.$ZodType | undefined = each.shape[step];
      return next === undefined ? [] : schemasAt(next, rest);
    }
    if (each instanceof z.ZodArray) return schemasAt(each.element, rest);
    if (each instanceof z.ZodRecord) return schemasAt(each.valueType, rest);
    return [];
  });
}

function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => alternatives(option));
  return [schema];
}

/** The keys a mapping at `path` may have. */
export function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  return schemasAt(schema, path).flatMap((each) =>
    each instanceof z.ZodObject ? Object.keys(each.shape) : [],
  );
}

/** What the key at the end of `path` is for; undefined where it has no description. */
export function descriptionAt(schema: z.core.$ZodType, path: Path): string | undefined {
  const key = path.at(-1);
  if (key === undefined) return undefined;
  for (const parent of schemasAt(schema, path.slice(0, -1))) {
    const entry = parent instanceof z.ZodObject ? parent.shape[key] : undefined;
    if (entry instanceof z.ZodType) return innerDescription(entry);
  }
  return undefined;
}

function innerDescription(schema: z.ZodType): string | undefined {
  if (schema.description !== undefined) return schema.description;
  if (!(schema instanceof z.ZodOptional)) return undefined;
  const inner = schema.unwrap();
  return inner instanceof z.ZodType ? inner.description : undefined;
}

/** `1 to 65535` for the number accepted at `path`; undefined where there is none or it has no bounds. */
export function rangeAt(schema: z.core.$ZodType, path: Path): string | undefined {
  for (const each of schemasAt(schema, path)) {
    if (each instanceof z.ZodNumber && each.minValue !== null && each.maxValue !== null) {
      return `${each.minValue} to ${each.maxValue}`;
    }
  }
  return undefined;
}

/** Every path of keys that the schema knows: `peers[].addPath.receive`. */
export function allKeyPaths(schema: z.core.$ZodType, prefix = ''): string[] {
  return alternatives(schema).flatMap((each) => {
    if (each instanceof z.ZodObject) {
      return Object.entries<z.core.$ZodType>(each.shape).flatMap(([key, value]) => {
        const path = prefix === '' ? key : `${prefix}.${key}`;
        return [path, ...allKeyPaths(value, path)];
      });
    }
    if (each instanceof z.ZodArray) return allKeyPaths(each.element, `${prefix}[]`);
    if (each instanceof z.ZodRecord) return allKeyPaths(each.valueType, `${prefix}.*`);
    return [];
  });
}
