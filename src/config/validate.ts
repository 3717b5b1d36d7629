// The tree -> what the user wrote, typed: each section and each entry of a list is checked for itself, so that one
// mistake hides no other. A key that is wrong is reported and left out, and the rest of its entry goes on to the
// checks that need more than one place (build.ts).

import { z } from 'zod';
import { type ComplaintAt, complain, type Issue, unknownKeyHint } from './complaints.ts';
import type { IssueList } from './issues.ts';
import { type ConfigNode, type MapNode, nodeAt, type Path, type ScalarNode } from './nodes.ts';
import {
  configSchema,
  decisionSchema,
  httpSchema,
  kernelSchema,
  type ListenInput,
  listenSchema,
  logSchema,
  type NetworkInput,
  networkSchema,
  redistributeSchema,
  routerSchema,
  type TableInput,
  tableSectionSchema,
} from './schema.ts';
import { type BfdSessionsInput, bfdSessionsSchema } from './schema-bfd.ts';
import { type BmpInput, bmpSchema } from './schema-bmp.ts';
import { controlSchema, type ProcessInput, processSchema } from './schema-control.ts';
import { crashSchema, type DiagnosisInput, journalSchema, watchdogSchema } from './schema-diagnosis.ts';
import { mrtSchema } from './schema-mrt.ts';
import {
  type DynamicPeersInput,
  dynamicPeersSchema,
  type PeerGroupInput,
  type PeerInput,
  peerGroupSchema,
  peerSchema,
} from './schema-peer.ts';
import { definitionsSchema, filtersSchema, testsSchema } from './schema-policy.ts';
import { type RpkiInput, rpkiSchema } from './schema-rpki.ts';
import { type PipeInput, pipeSchema, tableNameSchema } from './schema-tables.ts';

/** An entry of a list, where it stood. */
export interface Entry<T> {
  readonly path: Path;
  readonly input: T;
}

/** What was understood; a section that was wrong as a whole is absent. */
export interface ValidatedInput {
  readonly router: z.infer<typeof routerSchema> | undefined;
  /** Undefined where the key is absent. */
  readonly listen: readonly Entry<ListenInput>[] | undefined;
  readonly kernel: z.infer<typeof kernelSchema> | undefined;
  readonly peerGroups: ReadonlyMap<string, PeerGroupInput | undefined>;
  readonly peers: readonly Entry<PeerInput>[];
  readonly dynamicPeers: readonly Entry<DynamicPeersInput>[];
  readonly networks: readonly Entry<NetworkInput>[];
  readonly redistribute: z.infer<typeof redistributeSchema> | undefined;
  readonly tables: readonly Entry<{ name: string; section: TableInput }>[];
  readonly pipes: readonly Entry<PipeInput>[];
  readonly rpki: RpkiInput | undefined;
  readonly bmp: BmpInput | undefined;
  readonly bfd: BfdSessionsInput | undefined;
  readonly definitions: string | undefined;
  readonly filters: z.infer<typeof filtersSchema> | undefined;
  readonly tests: z.infer<typeof testsSchema> | undefined;
  readonly decision: z.infer<typeof decisionSchema> | undefined;
  readonly control: z.infer<typeof controlSchema> | undefined;
  readonly process: ProcessInput | undefined;
  readonly http: z.infer<typeof httpSchema> | undefined;
  readonly log: z.infer<typeof logSchema> | undefined;
  readonly diagnosis: DiagnosisInput;
}

/** Checks the whole tree against the schema; undefined where it is no mapping. Every complaint goes to `issues`. */
export function validate(root: ConfigNode, issues: IssueList): ValidatedInput | undefined {
  if (root.kind !== 'map') {
    issues.error([], 'a configuration is a mapping of sections', 'it starts with `router:`');
    return undefined;
  }
  const accepted = Object.keys(configSchema.shape);
  for (const key of root.entries.keys()) {
    if (!accepted.includes(key)) issues.error([key], 'unknown key', unknownKeyHint(key, accepted), 'key');
  }
  if (!root.entries.has('router')) {
    issues.error(
      ['router'],
      'router is missing',
      'add `router: { asn: 64512, id: 10.99.0.1 }` with your own values',
    );
  }
  const section = <T>(schema: z.ZodType<T>, key: string): T | undefined => {
    const node = root.entries.get(key)?.value;
    return node === undefined ? undefined : readNode(schema, node, [key], issues);
  };
  const list = <T>(schema: z.ZodType<T>, key: string): Entry<T>[] => readList(schema, root, key, issues);
  return {
    router: section(routerSchema, 'router'),
    listen: root.entries.has('listen') ? list(listenSchema, 'listen') : undefined,
    kernel: section(kernelSchema, 'kernel'),
    peerGroups: readGroups(root, issues),
    peers: list(peerSchema, 'peers'),
    dynamicPeers: list(dynamicPeersSchema, 'dynamicPeers'),
    networks: list(networkSchema, 'networks'),
    redistribute: section(redistributeSchema, 'redistribute'),
    tables: readTables(root, issues),
    pipes: list(pipeSchema, 'pipes'),
    rpki: section(rpkiSchema, 'rpki'),
    bmp: section(bmpSchema, 'bmp'),
    bfd: section(bfdSessionsSchema, 'bfd'),
    definitions: section(definitionsSchema, 'definitions'),
    filters: section(filtersSchema, 'filters'),
    tests: section(testsSchema, 'tests'),
    decision: section(decisionSchema, 'decision'),
    control: section(controlSchema, 'control'),
    process: section(processSchema, 'process'),
    http: section(httpSchema, 'http'),
    log: section(logSchema, 'log'),
    diagnosis: {
      journal: section(journalSchema, 'journal'),
      watchdog: section(watchdogSchema, 'watchdog'),
      crash: section(crashSchema, 'crash'),
      mrt: section(mrtSchema, 'mrt'),
    },
  };
}

function readList<T>(schema: z.ZodType<T>, root: MapNode, key: string, issues: IssueList): Entry<T>[] {
  const node = root.entries.get(key)?.value;
  if (node === undefined) return [];
  if (node.kind !== 'list') {
    readNode(z.array(schema), node, [key], issues);
    return [];
  }
  return node.items.flatMap((item, i) => {
    const input = readNode(schema, item, [key, i], issues);
    return input === undefined ? [] : [{ path: [key, i], input }];
  });
}

/** A group that could not be understood stays known by its name, so that who uses it is not accused too. */
function readGroups(root: MapNode, issues: IssueList): Map<string, PeerGroupInput | undefined> {
  const node = root.entries.get('peerGroups')?.value;
  const groups = new Map<string, PeerGroupInput | undefined>();
  if (node === undefined) return groups;
  if (node.kind !== 'map') {
    readNode(z.record(z.string(), peerGroupSchema), node, ['peerGroups'], issues);
    return groups;
  }
  for (const [name, entry] of node.entries) {
    groups.set(name, readNode(peerGroupSchema, entry.value, ['peerGroups', name], issues));
  }
  return groups;
}

function readTables(root: MapNode, issues: IssueList): Entry<{ name: string; section: TableInput }>[] {
  const node = root.entries.get('tables')?.value;
  if (node === undefined) return [];
  if (node.kind !== 'map') {
    readNode(z.record(tableNameSchema, tableSectionSchema), node, ['tables'], issues);
    return [];
  }
  return [...node.entries].flatMap(([name, entry]) => {
    const path = ['tables', name];
    const wrong = tableNameSchema.safeParse(name).error?.issues[0]?.message;
    if (wrong !== undefined) issues.error(path, wrong, 'letters, digits, _ and -', 'key');
    const section = readNode(tableSectionSchema, entry.value, path, issues);
    // One that could not be understood stays known by its name.
    return [{ path, input: { name, section: section ?? {} } }];
  });
}

/** Each round gives the scalars that are of the wrong type their other reading. */
const READING_ROUNDS = 3;

function readNode<T>(schema: z.ZodType<T>, node: ConfigNode, base: Path, issues: IssueList): T | undefined {
  if (isBroken(node)) return undefined;
  const readings = new Map<ScalarNode, string | number | boolean>();
  let result = schema.safeParse(plainValue(node, readings));
  for (let round = 0; round < READING_ROUNDS && !result.success; round++) {
    if (!reread(result.error.issues, node, readings)) break;
    result = schema.safeParse(plainValue(node, readings));
  }
  if (result.success) return result.data;
  const omit = new Set<string>();
  const complaints = result.error.issues.flatMap((issue) => complain(issue, schema, node));
  for (const complaint of complaints) {
    if (!isSaidOtherwise(complaint, complaints)) report(complaint, node, base, issues);
    const [first] = complaint.path;
    if (typeof first === 'string') omit.add(first);
  }
  if (omit.size === 0 || node.kind !== 'map') return undefined;
  const rest: MapNode = { ...node, entries: new Map([...node.entries].filter(([key]) => !omit.has(key))) };
  const second = schema.safeParse(plainValue(rest, readings));
  return second.success ? second.data : undefined;
}

/** A key that is missing, and that an unknown one beside it is taken for: `as` for asn. */
function isSaidOtherwise({ path, message }: ComplaintAt, complaints: readonly ComplaintAt[]): boolean {
  const key = String(path.at(-1));
  const meant = [`here it is called ${key}`, `did you mean ${key}?`];
  return (
    message === `${key} is missing` &&
    complaints.some(
      (other) =>
        other.hint !== undefined &&
        meant.includes(other.hint) &&
        other.path.slice(0, -1).join() === path.slice(0, -1).join(),
    )
  );
}

function report(complaint: ComplaintAt, node: ConfigNode, base: Path, issues: IssueList): void {
  // What could not be expanded is reported already.
  for (let depth = 0; depth <= complaint.path.length; depth++) {
    const part = nodeAt(node, complaint.path.slice(0, depth));
    if (part !== undefined && isBroken(part)) return;
  }
  const path = [...base, ...complaint.path];
  issues.error(path, complaint.message, complaint.hint, complaint.anchor);
}

function isBroken(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === undefined;
}

/** What inherits from it has keys of its own only, as of null, and is no hash table, as which V8 makes those. */
const NOTHING: object = Object.freeze(Object.create(null));

function plainValue(node: ConfigNode, readings: ReadonlyMap<ScalarNode, string | number | boolean>): unknown {
  if (node.kind === 'scalar') return readings.get(node) ?? node.value;
  if (node.kind === 'list') return node.items.map((item) => plainValue(item, readings));
  const object: Record<string, unknown> = Object.create(NOTHING);
  for (const [key, entry] of node.entries) {
    if (!isBroken(entry.value)) object[key] = plainValue(entry.value, readings);
  }
  return object;
}

/**
 * The schema decides between number and text: a plain `0660`, `64512.10` or `2024` where a text is wanted is what
 * was written, and a variable's value where a number or a truth value is wanted is read as one.
 */
function reread(
  found: readonly Issue[],
  root: ConfigNode,
  readings: Map<ScalarNode, string | number | boolean>,
): boolean {
  let changed = false;
  for (const { path, wanted } of found.flatMap((issue) => leaves(issue, []))) {
    const node = nodeAt(root, path);
    if (node?.kind !== 'scalar' || readings.has(node)) continue;
    const other = otherReading(node, wanted);
    if (other === undefined) continue;
    readings.set(node, other);
    changed = true;
  }
  return changed;
}

type Wanted = 'text' | 'number' | 'boolean';

function otherReading(node: ScalarNode, wanted: Wanted): string | number | boolean | undefined {
  if (wanted === 'text') return node.plain && typeof node.value === 'number' ? node.text : undefined;
  if (!node.expanded) return undefined;
  if (wanted === 'number') return /^-?\d{1,15}(\.\d+)?$/.test(node.text) ? Number(node.text) : undefined;
  return node.text === 'true' || node.text === 'false' ? node.text === 'true' : undefined;
}

function leaves(issue: Issue, base: Path): { path: Path; wanted: Wanted }[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'invalid_union')
    return issue.errors.flatMap((inner) => inner.flatMap((each) => leaves(each, path)));
  if (issue.code === 'invalid_value') {
    return issue.values.map((value) => ({ path, wanted: typeof value === 'boolean' ? 'boolean' : 'text' }));
  }
  if (issue.code !== 'invalid_type') return [];
  if (issue.expected === 'string') return [{ path, wanted: 'text' }];
  if (issue.expected === 'boolean') return [{ path, wanted: 'boolean' }];
  return issue.expected === 'number' || issue.expected === 'int' ? [{ path, wanted: 'number' }] : [];
}
