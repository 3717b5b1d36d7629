// A BirdApi with nothing behind it but what a test puts there, and a record of what it was asked to do.

import type { BirdApi, Evaluation } from '../../src/speaker/api/bird.ts';
import type { ProtocolAction, ProtocolActionResult, ProtocolView } from '../../src/speaker/api/protocols.ts';
import type {
  ConfigurationView,
  ConfigureOptions,
  DumpOptions,
  InterfaceView,
  RoaView,
  StaticRouteView,
  SymbolView,
  TableAnswer,
  TableQuery,
  TableRoute,
  TableView,
} from '../../src/speaker/api/tables.ts';

export class FakeBird implements BirdApi {
  readonly calls: string[] = [];
  readonly queries: TableQuery[] = [];
  config: ConfigurationView = {
    file: '/etc/bird/bird.conf',
    dialect: 'native',
    family: undefined,
    hostname: 'rr-1',
    timeFormats: {},
    undoIn: undefined,
  };
  protocolViews: ProtocolView[] = [];
  tableViews: TableView[] = [
    { name: 'master4', type: 'ipv4' },
    { name: 'master6', type: 'ipv6' },
  ];
  symbolViews: SymbolView[] = [];
  interfaceViews: InterfaceView[] = [];
  statics: StaticRouteView[] = [];
  roaViews: RoaView[] = [];
  /** Routes by table; what a query makes of them is up to `answer`. */
  answer: (query: TableQuery) => TableAnswer[] = () => [];
  act_: (protocol: string, action: ProtocolAction) => ProtocolActionResult = () => 'done';
  evaluation: Evaluation = { value: '' };
  /** Thrown by configure and checkConfiguration. */
  configureError: Error | undefined;
  pending = false;
  previous = false;
  recovering: ReturnType<BirdApi['recovery']>;

  configuration(): ConfigurationView {
    return this.config;
  }

  protocols(): ProtocolView[] {
    return this.protocolViews;
  }

  act(protocol: string, action: ProtocolAction): ProtocolActionResult {
    this.calls.push(`${action.action} ${protocol}`);
    return this.act_(protocol, action);
  }

  tables(): TableView[] {
    return this.tableViews;
  }

  routes(query: TableQuery): TableAnswer[] {
    this.queries.push(query);
    return this.answer(query);
  }

  roas(): Iterable<RoaView> {
    return this.roaViews;
  }

  debug(protocols: readonly string[], channel: string | undefined, flags: readonly string[]): void {
    this.calls.push(`debug ${protocols.join(' ')}${channel ? `.${channel}` : ''} { ${flags.join(', ')} }`);
  }

  readonly traced: string[] = [];

  trace(line: string): void {
    this.traced.push(line);
  }

  mrtdump(protocols: readonly string[], flags: readonly string[]): void {
    this.calls.push(`mrtdump ${protocols.join(' ')} { ${flags.join(', ')} }`);
  }

  readonly dumps: DumpOptions[] = [];

  async dump(options: DumpOptions): Promise<void> {
    this.dumps.push(options);
  }

  interfaces(): InterfaceView[] {
    return this.interfaceViews;
  }

  staticRoutes(): StaticRouteView[] {
    return this.statics;
  }

  symbols(): SymbolView[] {
    return [
      ...this.symbolViews,
      ...this.tableViews.map(({ name }): SymbolView => ({ name, kind: 'routing table' })),
      ...this.protocolViews.map(({ name }): SymbolView => ({ name, kind: 'protocol' })),
    ];
  }

  evaluate(): Evaluation {
    return this.evaluation;
  }

  async checkConfiguration(file: string | undefined): Promise<void> {
    this.calls.push(`check ${file}`);
    if (this.configureError !== undefined) throw this.configureError;
  }

  async configure(options: ConfigureOptions): Promise<void> {
    this.calls.push(`configure ${JSON.stringify(options)}`);
    if (this.configureError !== undefined) throw this.configureError;
    this.pending = options.timeout !== undefined;
    this.previous = true;
  }

  confirm(): boolean {
    const waited = this.pending;
    this.pending = false;
    return waited;
  }

  async undo(): Promise<boolean> {
    const had = this.previous;
    this.previous = false;
    return had;
  }

  stopForRestart(): void {
    this.calls.push('stopForRestart');
  }

  recovery(): ReturnType<BirdApi['recovery']> {
    return this.recovering;
  }
}

/** An answer that has these routes. */
export function fakeAnswer(
  table: string,
  routes: readonly (TableRoute | undefined)[],
  named = false,
): TableAnswer {
  let shown = 0;
  return {
    table,
    named,
    *routes() {
      for (const route of routes) {
        if (route !== undefined) shown++;
        yield route;
      }
    },
    *skim() {
      shown = routes.filter((route) => route !== undefined).length;
    },
    count: () => ({ table, shown, routes: routes.length, networks: routes.length }),
  };
}
