// Where to listen, as the configuration says it, for the sockets that do.

import type { Config } from '../config/model.ts';
import { parseAddress } from '../lib/ip.ts';

export function listenOptions(listen: Config['listen'][number]) {
  const parsed = parseAddress(listen.address);
  if (parsed === undefined) throw new RangeError(`${listen.address} is no address to listen on`);
  const { port, interface: link, freeBind: freebind = false } = listen;
  return { address: parsed.bytes, port, interface: link, zone: parsed.zone, freebind };
}
