// Caches of RPKI data as operators see them. Made on demand by speaker/views; shown by control and cli.

export interface RpkiCacheView {
  name: string;
  /** As configured: an address or a host name. */
  host: string;
  port: number;
  /** The lower, the more preferred. */
  preference: number;
  /** Down, Connecting, Sync-Start, Sync-Running, Established, Cache-Reset, No-Data, Transport-Error, Protocol-Error. */
  state: string;
  /** Of the protocol: 0 RFC 6810, 1 RFC 8210, 2 8210bis. */
  version: number;
  sessionId: number | undefined;
  serial: number | undefined;
  /** Wall-clock milliseconds of the last End of Data. */
  lastUpdate: number | undefined;
  /** Records of the cache that count. */
  roas4: number;
  roas6: number;
  aspas: number;
  /** Seconds until it is asked, tried again, or its records count no more. */
  refreshIn: number | undefined;
  retryIn: number | undefined;
  expireIn: number | undefined;
  /** Since the start of the cache's client. */
  connections: number;
  updates: number;
  resets: number;
  errors: number;
  expirations: number;
  /** What is wrong at present. */
  problem: string | undefined;
}
