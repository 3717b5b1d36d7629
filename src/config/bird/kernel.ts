// Kernel, device and direct: the protocols that meet the operating system.

import { number, OptionTable, option, readBlock, toggle } from './options.ts';
import { readPatterns } from './patterns.ts';
import type { DeviceOptions, DirectOptions, KernelOptions } from './protocol-options.ts';
import type { ConfigReader } from './reader.ts';

const DEFAULT_NEXT_HOPS = 16;
const MAX_NEXT_HOPS = 255;

export const KERNEL_OPTIONS = new OptionTable<KernelOptions>([
  option('learn', (reader) => ({ learn: readLearn(reader) })),
  toggle('persist', (persist) => ({ persist })),
  number('scan time', (scanTime) => ({ scanTime })),
  number('kernel table', (table) => ({ table })),
  number('metric', (metric) => ({ metric })),
  toggle('device routes', (deviceRoutes) => ({ deviceRoutes }), '1.6'),
  toggle('graceful restart', (gracefulRestart) => ({ gracefulRestart })),
  option('merge paths', (reader) => ({ mergePaths: readMergePaths(reader) })),
  number('netlink rx buffer', (rxBuffer) => ({ rxBuffer }), { only: '2.x' }),
]);

function readLearn(reader: ConfigReader): 'off' | 'on' | 'all' {
  if (reader.dialect === '2.x' && reader.tokens.takeWord('all')) return 'all';
  return reader.toggle() ? 'on' : 'off';
}

/** `[on|off] [limit N]` */
function readMergePaths(reader: ConfigReader): number {
  const on = reader.toggle();
  const most = reader.tokens.takeWord('limit')
    ? reader.number('the limit', 1, MAX_NEXT_HOPS)
    : DEFAULT_NEXT_HOPS;
  return on ? most : 0;
}

export const DEVICE_OPTIONS = new OptionTable<DeviceOptions>([
  number('scan time', (scanTime) => ({ scanTime })),
  option(
    'interface',
    (reader, before) => {
      const patterns = readPatterns(reader, false);
      const preferred = reader.tokens.isOp('{') ? readPreferred(reader) : [];
      return { interfaces: [...before.interfaces, { patterns, preferred }] };
    },
    '2.x',
  ),
  option(
    'primary',
    (reader, before) => {
      const mask = reader.tokens.peek().kind === 'string' ? reader.text('an interface') : undefined;
      return { primary: [...before.primary, { mask, address: addressOrPrefix(reader) }] };
    },
    '1.6',
  ),
]);

function readPreferred(reader: ConfigReader): readonly string[] {
  const preferred: string[] = [];
  readBlock(reader, 'in interface', () => {
    reader.tokens.expectWord('preferred');
    preferred.push(reader.address('the preferred address'));
  });
  return preferred;
}

function addressOrPrefix(reader: ConfigReader): string {
  return reader.tokens.isOp('/', 1) || reader.tokens.isOp(':', 1)
    ? reader.prefix().text
    : reader.address('an address');
}

export const DIRECT_OPTIONS = new OptionTable<DirectOptions>([
  option('interface', (reader, before) => ({
    interfaces: [...before.interfaces, readPatterns(reader, true)],
  })),
  toggle('check link', (checkLink) => ({ checkLink })),
]);
