// What BIRD's control protocol asks of the speaker beyond the views that every face shows: protocols, tables, names,
// and commands that BIRD has. A CommandError says what was wrong with the question.

import type { ProtocolAction, ProtocolActionResult, ProtocolView, TimerView } from './protocols.ts';
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
  TableView,
} from './tables.ts';

/** `runtime`: it was understood and could not be computed. */
export type Evaluation = { readonly value: string } | { readonly error: string; readonly runtime: boolean };

export interface BirdApi {
  configuration(): ConfigurationView;
  /** In the order of the configuration; peers of a range after it. `details`: with routes and counters. */
  protocols(options?: { details: boolean }): ProtocolView[];
  /** Throws CommandError for an unknown protocol. */
  act(protocol: string, action: ProtocolAction): ProtocolActionResult;
  tables(): TableView[];
  /** One answer a table, to be walked in their order. Throws CommandError before anything is walked. */
  routes(query: TableQuery): TableAnswer[];
  /** Entries of ROA tables; undefined = a moment to do something else. */
  roas(): Iterable<RoaView | undefined>;
  /** What protocols, or a channel of them alone, show in the log from now on: flags of a `debug` statement. */
  debug(protocols: readonly string[], channel: string | undefined, flags: readonly string[]): void;
  /** Writes a line among those that debugging asks for. */
  trace(line: string): void;
  /** What protocols write into the MRT file of the configuration from now on: flags of an `mrtdump` statement. */
  mrtdump(protocols: readonly string[], flags: readonly string[]): void;
  /** Writes tables to files in the MRT format. Rejects with CommandError. */
  dump(options: DumpOptions): Promise<void>;
  interfaces(): InterfaceView[];
  staticRoutes(): StaticRouteView[];
  symbols(): SymbolView[];
  /** A term of the filter language. */
  evaluate(term: string): Evaluation;
  /** Rejects with CommandError that has every complaint. */
  checkConfiguration(file: string | undefined): Promise<void>;
  configure(options: ConfigureOptions): Promise<void>;
  /** Keeps what `configure` with a timeout applied; false where nothing waits for it. */
  confirm(): boolean;
  /** Goes back to the configuration before the last one; false where there is none. */
  undo(): Promise<boolean>;
  /** The stop that follows is for a restart: no peer is told, kernel routes stay (RFC 4724). */
  stopForRestart(): void;
  /** Peers that a restart still waits for, and for how long; undefined where none is under way. */
  recovery(): { readonly waitingFor: number; readonly timer: TimerView } | undefined;
}
