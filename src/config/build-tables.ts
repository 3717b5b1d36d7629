// Further routing tables and pipes of the model, and which tables a peer is attached to. Two tables do not share a
// kernel table: each would take the other's routes for leftovers of its own.

import type { FamilyName } from '../bgp/wire/families.ts';
import { IP_VERSIONS, type IpVersion } from '../lib/ip.ts';
import { nearest } from '../lib/suggest.ts';
import { buildOrigins } from './build-origins.ts';
import type { FilterReader } from './filters.ts';
import type { IssueList } from './issues.ts';
import {
  type KernelConfig,
  kernelOfFamily,
  type PipeConfig,
  type TableConfig,
  type TableNames,
} from './model.ts';
import type { Path } from './nodes.ts';
import type { TableInput } from './schema.ts';
import type { PipeInput } from './schema-tables.ts';
import type { Entry, ValidatedInput } from './validate.ts';

/** As users call the table that is always there; the model calls it ''. */
const MAIN = 'main';

/** Families of further tables by their names. */
export type KnownTables = ReadonlyMap<string, readonly IpVersion[]>;

export function buildTables(
  input: ValidatedInput,
  main: KernelConfig,
  filters: FilterReader,
  issues: IssueList,
): { readonly tables?: readonly TableConfig[]; readonly pipes?: readonly PipeConfig[] } {
  const tables = input.tables.map((entry) => buildTable(entry, main, filters, issues));
  checkKernelTables(main, tables, input.tables, issues);
  const known = familiesByTable(tables);
  const pipes = input.pipes.flatMap((entry) => buildPipe(entry, known, filters, issues) ?? []);
  return { ...(tables.length > 0 && { tables }), ...(pipes.length > 0 && { pipes }) };
}

export function familiesByTable(tables: readonly TableConfig[]): KnownTables {
  return new Map(tables.map(({ name, families }) => [name, families]));
}

function buildTable(
  { path, input: { name, section } }: Entry<{ name: string; section: TableInput }>,
  main: KernelConfig,
  filters: FilterReader,
  issues: IssueList,
): TableConfig {
  if (name === MAIN) issues.error(path, 'main is the table of the top level', 'give it another name', 'key');
  const networks = (section.networks ?? []).map((each, i) => ({
    path: [...path, 'networks', i],
    input: each,
  }));
  const { kernel, redistribute } = section;
  const origins = buildOrigins({ kernel, networks, redistribute }, path, filters, issues);
  const families = [...new Set(section.families ?? IP_VERSIONS)];
  const placed = families.every((version) => (kernel?.[version]?.table ?? kernel?.table) !== undefined);
  if (origins.kernel.install && !placed) {
    issues.error(
      [...path, 'kernel', 'table'],
      'table is missing',
      'add the number of the kernel table: table: 100',
    );
  }
  return {
    name,
    families,
    ...origins,
    kernel: {
      ...origins.kernel,
      families,
      nextHopTracking: kernel?.nextHopTracking ?? (origins.kernel.install || main.nextHopTracking),
    },
  };
}

function checkKernelTables(
  main: KernelConfig,
  tables: readonly TableConfig[],
  entries: readonly Entry<unknown>[],
  issues: IssueList,
): void {
  const taken = new Map<string, string>();
  for (const version of main.install ? (main.families ?? IP_VERSIONS) : []) {
    taken.set(`${kernelOfFamily(main, version).table} ${version}`, 'the main table');
  }
  for (const [i, { name, kernel, families }] of tables.entries()) {
    const section = [...(entries[i]?.path ?? []), 'kernel'];
    for (const version of kernel.install ? families : []) {
      const path = [
        [...section, version, 'table'],
        [...section, 'table'],
      ].find((each) => issues.has(each));
      if (path === undefined) continue;
      const { table } = kernelOfFamily(kernel, version);
      const owner = taken.get(`${table} ${version}`) ?? `table ${name}`;
      taken.set(`${table} ${version}`, owner);
      if (owner === `table ${name}`) continue;
      issues.error(path, `kernel table ${table} is written by ${owner}`, 'take another number');
      break;
    }
  }
}

function buildPipe(
  { path, input }: Entry<PipeInput>,
  tables: KnownTables,
  filters: FilterReader,
  issues: IssueList,
): PipeConfig | undefined {
  const ends = (['from', 'to'] as const).map((key) => knownTable(input[key], [...path, key], tables, issues));
  if (input.from === input.to) {
    issues.error([...path, 'to'], 'a pipe joins two tables', 'name another table');
    return undefined;
  }
  const [table, peerTable] = ends;
  if (table === undefined || peerTable === undefined) return undefined;
  const familiesOf = (name: string): readonly IpVersion[] => tables.get(name) ?? IP_VERSIONS;
  const families = familiesOf(table).filter((version) => familiesOf(peerTable).includes(version));
  if (families.length === 0) {
    issues.error(path, `${input.from} and ${input.to} have no family in common`, 'join tables of one family');
  }
  return {
    name: pipeName(input),
    families,
    table,
    peerTable,
    export: input.forward === undefined ? 'accept' : filters.policy(input.forward, [...path, 'forward']),
    import: input.back === undefined ? 'reject' : filters.policy(input.back, [...path, 'back']),
  };
}

export function pipeName({ name, from, to }: PipeInput): string {
  return name ?? `${from}-${to}`;
}

/** The model's name of a table; undefined, with a complaint, where there is none of the name. */
function knownTable(name: string, path: Path, tables: KnownTables, issues: IssueList): string | undefined {
  if (name === MAIN) return '';
  if (tables.has(name)) return name;
  const names = [MAIN, ...tables.keys()];
  const near = nearest(name, names);
  issues.error(
    path,
    `there is no table ${name}`,
    near === undefined ? `expected ${names.join(', ')}` : `did you mean ${near}?`,
  );
  return undefined;
}

/** What a peer says of its tables, for its families; undefined where all are the main one. */
export function tableNamesOf(
  input: string | { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined } | undefined,
  path: Path,
  families: readonly FamilyName[],
  tables: KnownTables,
  issues: IssueList,
): TableNames | undefined {
  if (input === undefined) return undefined;
  const names: { ipv4?: string; ipv6?: string } = {};
  for (const version of IP_VERSIONS) {
    const written = typeof input === 'string' ? input : input[version];
    const at = typeof input === 'string' ? path : [...path, version];
    if (written === undefined || !families.some((family) => family.startsWith(version))) continue;
    const name = knownTable(written, at, tables, issues);
    if (name === undefined) continue;
    if (name !== '' && tables.get(name)?.includes(version) !== true) {
      issues.error(at, `table ${name} has no ${version} routes`, `add ${version} to its families`);
    } else names[version] = name;
  }
  return Object.keys(names).length === 0 ? undefined : names;
}
