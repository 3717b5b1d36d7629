// BirdApi over the running speaker: joins what the files beside it make.

import type { StaticHop } from '../../config/bird/protocol-options.ts';
import type { Config } from '../../config/model.ts';
import { parseAddress } from '../../lib/ip.ts';
import type { BirdApi } from '../api/bird.ts';
import type { ConfigurationView } from '../api/tables.ts';
import type { Reconfiguration } from '../reconfiguration.ts';
import type { Speaker } from '../speaker.ts';
import { ProtocolActions } from './actions.ts';
import { AdHocFilters } from './ad-hoc-filter.ts';
import { declaredProtocols } from './declared.ts';
import { interfaceViews } from './interfaces.ts';
import { staticRoutesOf, symbolsOf, tablesOf } from './names.ts';
import { ProtocolViews } from './protocol-views.ts';
import { roasOf } from './roas.ts';
import { TableWalks } from './tables.ts';

const MS_PER_SECOND = 1000;

export function createBirdApi(
  speaker: Speaker,
  reconfiguration: Reconfiguration,
  configFile: string | undefined,
): BirdApi {
  const filters = new AdHocFilters(speaker.tables);
  const views = new ProtocolViews(speaker, speaker.protocols);
  const walks = new TableWalks(speaker, filters);
  const actions = new ProtocolActions(speaker, views, reconfiguration);
  return {
    configuration: () => configurationView(speaker.written, configFile, reconfiguration.undoIn),
    protocols: (options) => views.all(options?.details === true),
    act: (name, action) => actions.act(name, action),
    tables: () => tablesOf(speaker.written),
    routes: (query) => walks.answers(query),
    roas: () => roasOf(speaker.config),
    debug: (protocols, channel, flags) => speaker.tracer.command(protocols, channel, flags),
    trace: (line) => speaker.tracer.write(line),
    mrtdump: (protocols, flags) => speaker.tracer.dumpCommand(protocols, flags),
    dump: async ({ table, file: path, filter }) => {
      const policy = filter && filters.compile(speaker.written, filter, speaker.rooms);
      await speaker.mrt.dump(table, path, () => policy ?? 'accept');
    },
    interfaces: () => interfaceViews(speaker.kernel),
    staticRoutes: () => staticRoutesOf(speaker.written, (hop) => isDormant(speaker, hop)),
    symbols: () => symbolsOf(speaker.written, protocolNames(speaker)),
    evaluate: (term) => filters.evaluate(speaker.written, term),
    checkConfiguration: async (other) => reconfiguration.check(other ?? configFile),
    configure: async (options) => {
      // The next time it is the usual file again.
      const file = options.file ?? configFile;
      await reconfiguration.reload({ ...options, ...(file !== undefined && { file }) });
    },
    confirm: () => reconfiguration.confirm(),
    undo: () => reconfiguration.undo(),
    stopForRestart: () => {
      speaker.stopsSilently = true;
    },
    recovery: () => recoveryView(speaker),
  };
}

function configurationView(
  config: Config,
  file: string | undefined,
  undoIn: number | undefined,
): ConfigurationView {
  const { bird, router } = config;
  return {
    file,
    dialect: bird?.dialect ?? 'native',
    family: bird?.family,
    hostname: router.hostname,
    timeFormats: bird?.globals.timeFormats ?? {},
    undoIn,
    ...(bird?.globals.debugCommands !== undefined && { debugCommands: bird.globals.debugCommands }),
  };
}

function* protocolNames(speaker: Speaker): Iterable<string> {
  for (const { name } of declaredProtocols(speaker.written)) yield name;
  for (const { name } of speaker.registry.values()) yield name;
}

/** It leads nowhere from here. */
function isDormant(
  { kernel, bfd: watched }: Speaker,
  { address, interface: link, onlink, bfd }: StaticHop,
): boolean {
  if (kernel === undefined) return false;
  const isUp = link === undefined || kernel.view.interfaceNamed(link)?.up === true;
  const parsed = address === undefined ? undefined : parseAddress(address);
  if (bfd && parsed !== undefined && !watched.sees(parsed.bytes, link ?? parsed.zone)) return true;
  if (parsed === undefined || !isUp || (onlink === true && link !== undefined)) return !isUp;
  return !kernel.resolve(parsed.bytes, link ?? parsed.zone).reachable;
}

function recoveryView({ recovery }: Speaker): ReturnType<BirdApi['recovery']> {
  const { view } = recovery;
  if (view === undefined) return undefined;
  const { waitingFor, leftMs, waitMs } = view;
  return { waitingFor, timer: { left: leftMs / MS_PER_SECOND, of: waitMs / MS_PER_SECOND } };
}
