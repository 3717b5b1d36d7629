// A simulation as a file: machines with addresses and configurations, or one of the built-in kinds, and faults. What
// is wrong in it is told with file, line and field.

import { dirname, isAbsolute, join } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { ConfigInput } from '../config/schema.ts';
import { drawFaults, FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './run.ts';
import { TOPOLOGY_KINDS } from './shapes.ts';
import { buildTopology, type NodePlan, type Topology } from './topology.ts';

const MS_PER_SECOND = 1000;
const MOST_NODES = 10_000;
const FAULTS_OVER_S = 300;
const DEFAULT_SEED = 1;

const count = z.int().min(1).max(MOST_NODES);
const seconds = z.number().min(0);

const nodeSchema = z.strictObject({
  count: count.optional(),
  addresses: z.array(z.string()).min(1),
  kernel: z.boolean().optional(),
  config: z.union([z.string(), z.record(z.string(), z.unknown())], {
    error: 'expected a configuration, or the path of one',
  }),
});

const faultSchema = z.strictObject({
  at: seconds,
  kind: z.enum(FAULT_KINDS as [FaultKind, ...FaultKind[]]),
  node: z.string(),
  other: z.string().optional(),
  for: seconds.optional(),
  value: z.int().min(0).optional(),
});

const drawnFaultsSchema = z.strictObject({
  count: z.int().min(0),
  over: seconds.optional(),
  kinds: z
    .array(z.enum(FAULT_KINDS as [FaultKind, ...FaultKind[]]))
    .min(1)
    .optional(),
});

const fileSchema = z
  .strictObject({
    title: z.string().optional(),
    seed: z.int().min(0).optional(),
    nodes: z.record(z.string(), nodeSchema).optional(),
    kind: z.enum(TOPOLOGY_KINDS).optional(),
    size: z.strictObject({ nodes: count.optional(), reflectors: count.optional() }).optional(),
    plain: z.boolean().optional(),
    faults: z
      .union([z.array(faultSchema), drawnFaultsSchema], { error: 'expected a list of faults, or { count }' })
      .optional(),
  })
  .refine((file) => (file.nodes === undefined) !== (file.kind === undefined), {
    error: 'expected either nodes or kind',
  });

type TopologyFile = z.infer<typeof fileSchema>;

/** The file is wrong: one sentence a line, each with its place. */
export class TopologyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TopologyError';
  }
}

/** Throws TopologyError. `readFile` is for configurations that the file names. */
export function parseTopologyFile(
  text: string,
  fileName: string,
  readFile: (path: string) => string,
  seed?: number,
): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${line}:${col}`;
  };
  const [syntax] = document.errors;
  if (syntax !== undefined)
    throw new TopologyError(`${place(syntax.pos[0])}: ${syntax.message.split('\n')[0]}`);
  const parsed = fileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const complaints = parsed.error.issues.map((issue) => {
      const { path } = issue;
      // What is missing is looked for where it should stand.
      const nodes = path.map((_, i) => document.getIn(path.slice(0, path.length - i), true));
      const where = place(nodes.find(isNode)?.range?.[0] ?? 0);
      return `${where}: ${path.length === 0 ? '' : `${path.join('.')}: `}${wordsOf(issue)}`;
    });
    throw new TopologyError(complaints.join('\n'));
  }
  const file = parsed.data;
  const chosen = seed ?? file.seed ?? DEFAULT_SEED;
  const random = seededRandom(chosen);
  const topology = topologyOf(file, random, (path) => {
    return readFile(isAbsolute(path) ? path : join(dirname(fileName), path));
  });
  return { seed: chosen, topology, faults: faultsOf(file, topology, random, fileName) };
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  int: 'a whole number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'a text',
};

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown key ${issue.keys.join(', ')}`;
  if (issue.code !== 'invalid_type') return issue.message;
  const expected = TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`;
  return issue.message.endsWith('received undefined')
    ? `is missing: ${expected}`
    : `expected ${expected}, as in examples/simulation.yaml`;
}

function topologyOf(file: TopologyFile, random: () => number, readFile: (path: string) => string): Topology {
  const { kind, size = {}, plain = false, title } = file;
  if (kind !== undefined) {
    const built = buildTopology(kind, random, size, plain);
    return { ...built, name: title ?? built.name };
  }
  const nodes = Object.entries(file.nodes ?? {}).flatMap(([name, node]): NodePlan[] => {
    const { addresses, kernel = true } = node;
    const text = typeof node.config === 'string' ? readFile(node.config) : undefined;
    const config: unknown = text === undefined ? node.config : parseDocument(text).toJS();
    return Array.from({ length: node.count ?? 1 }, (_, i) =>
      numbered({ name, addresses, kernel, config: config as ConfigInput }, i + 1),
    );
  });
  return { name: title ?? 'topology', nodes, ambiguous: true };
}

/** `$i` in any text becomes the number of the machine. */
function numbered<T>(value: T, i: number): T {
  return JSON.parse(JSON.stringify(value).replaceAll('$i', String(i)));
}

function faultsOf(
  { faults = [] }: TopologyFile,
  topology: Topology,
  random: () => number,
  fileName: string,
): Fault[] {
  if (!Array.isArray(faults)) {
    const { over = FAULTS_OVER_S, kinds } = faults;
    const options = { count: faults.count, overMs: over * MS_PER_SECOND };
    return drawFaults(random, topology, { ...options, ...(kinds !== undefined && { kinds }) });
  }
  const names = new Set(topology.nodes.map(({ name }) => name));
  for (const { node, other } of faults) {
    const unknown = [node, other].find((name) => name !== undefined && !names.has(name));
    if (unknown !== undefined) throw new TopologyError(`${fileName}: faults: there is no node "${unknown}"`);
  }
  return faults
    .map(({ at, for: lasts, ...fault }) => ({
      ...fault,
      at: at * MS_PER_SECOND,
      ...(lasts !== undefined && { forMs: lasts * MS_PER_SECOND }),
    }))
    .sort((a, b) => a.at - b.at);
}
