// Views <-> protobuf messages, derived from the reflected .proto file. Field names are the same on both sides, so
// the only work is enums <-> texts, 64-bit integers <-> numbers, and absent fields: a view's `undefined` is a field
// that is not sent, and comes back as a property that is not there. Plans are compiled once a type.

import protobuf from 'protobufjs';
import { ENUM_TEXTS } from './enum-texts.ts';

type Value = unknown;
type Convert = (value: Value) => Value;

interface FieldPlan {
  readonly name: string;
  /** Absent means "there is none" instead of the type's zero. */
  readonly optional: boolean;
  readonly shape: 'one' | 'many' | 'map';
  readonly zero: Value;
  readonly toWire: Convert;
  readonly fromWire: Convert;
}

/** Serialises values of one message type to bytes and back. */
export interface Codec {
  encode(view: object): Buffer;
  decode(bytes: Uint8Array): object;
}

const INTEGER_TYPES = new Set(['int32', 'uint32', 'sint32', 'int64', 'uint64', 'sint64']);
const same: Convert = (value) => value;

/** Makes codecs for the types of one protobuf root; plans are shared between types that contain each other. */
export class CodecFactory {
  readonly #plans = new Map<protobuf.Type, FieldPlan[]>();

  codec(type: protobuf.Type): Codec {
    const plan = this.#plan(type);
    return {
      encode(view) {
        const bytes = type.encode(toWire(plan, view)).finish();
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      },
      decode: (bytes) => fromWire(plan, type.decode(bytes)),
    };
  }

  #plan(type: protobuf.Type): FieldPlan[] {
    const known = this.#plans.get(type);
    if (known !== undefined) return known;
    const plan: FieldPlan[] = [];
    this.#plans.set(type, plan);
    for (const field of type.fieldsArray) plan.push(this.#field(field.resolve()));
    return plan;
  }

  #field(field: protobuf.Field): FieldPlan {
    const { resolvedType } = field;
    const message = resolvedType instanceof protobuf.Type ? this.#plan(resolvedType) : undefined;
    const base = {
      name: field.name,
      optional: message !== undefined || field.partOf !== null,
      shape: field.map ? 'map' : field.repeated ? 'many' : 'one',
    } as const;
    if (message !== undefined) {
      return {
        ...base,
        zero: undefined,
        toWire: (value) => toWire(message, asObject(value)),
        fromWire: (value) => fromWire(message, asObject(value)),
      };
    }
    if (resolvedType instanceof protobuf.Enum) {
      const texts = ENUM_TEXTS[resolvedType.name];
      if (texts === undefined) throw new Error(`enum ${resolvedType.name} has no texts`);
      return {
        ...base,
        optional: true,
        zero: undefined,
        toWire: (value) => texts.indexOf(String(value)) + 1,
        fromWire: (value) => texts[Number(value) - 1],
      };
    }
    if (INTEGER_TYPES.has(field.type)) {
      return { ...base, zero: 0, toWire: (value) => Math.trunc(Number(value)), fromWire: Number };
    }
    const zero =
      field.type === 'string'
        ? ''
        : field.type === 'bytes'
          ? new Uint8Array(0)
          : field.type === 'bool'
            ? false
            : 0;
    return { ...base, zero, toWire: same, fromWire: same };
  }
}

function asObject(value: Value): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function toWire(plan: readonly FieldPlan[], view: object): Record<string, Value> {
  const out: Record<string, Value> = {};
  for (const field of plan) {
    const value: Value = Reflect.get(view, field.name);
    if (value === undefined || value === null) continue;
    out[field.name] = convert(field.shape, value, field.toWire);
  }
  return out;
}

function fromWire(plan: readonly FieldPlan[], message: object): object {
  const out: Record<string, Value> = {};
  for (const field of plan) {
    // What was not sent is found on the prototype only, as the type's zero.
    const value: Value = Object.hasOwn(message, field.name) ? Reflect.get(message, field.name) : undefined;
    if (value !== undefined && value !== null) {
      const converted = convert(field.shape, value, field.fromWire);
      if (converted !== undefined) out[field.name] = converted;
    } else if (field.shape === 'many') out[field.name] = [];
    else if (field.shape === 'map') out[field.name] = {};
    else if (!field.optional) out[field.name] = field.zero;
  }
  return out;
}

function convert(shape: FieldPlan['shape'], value: Value, one: Convert): Value {
  if (shape === 'one') return one(value);
  if (shape === 'many') return Array.isArray(value) ? value.map(one) : [];
  return Object.fromEntries(Object.entries(asObject(value)).map(([key, item]) => [key, one(item)]));
}
