// BMP stations as operators see them. Made on demand by speaker/views; shown by control and cli.

export interface BmpStationView {
  name: string;
  address: string;
  port: number;
  /** Down, Connect, Established or Idle. */
  state: string;
  /** Wall-clock milliseconds of the last change of state. */
  since: number;
  /** What it is told: pre-policy, post-policy, loc-rib. */
  routes: string[];
  /** Peers that it knows of. */
  peers: number;
  /** Prefixes whose changes it has yet to be told. */
  waiting: number;
  /** Octets that wait, and that may wait. */
  queued: number;
  bufferLimit: number;
  /** Octets over this connection, and over all of them. */
  sessionOctets: number;
  totalOctets: number;
  /** Connections that came up, and those that ended because the station took too little. */
  connections: number;
  overflows: number;
  /** Seconds until the next attempt. */
  retryIn: number | undefined;
  /** What is wrong at present. */
  problem: string | undefined;
}
