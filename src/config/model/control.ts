// How people and programs reach the daemon, as the model has it: its own socket, BIRD's, and TCP.

/** Where the daemon listens and the command line looks unless told otherwise. */
export const DEFAULT_SOCKET = '/run/godwit/godwit.sock';
/** Of sockets that nothing else is said of. */
export const SOCKET_MODE = 0o660;

/** Who may use a unix socket, beside what its mode says. Users are `name` or a number, groups the same after an `@`. */
export interface SocketAccess {
  /** Owner of the socket; the user that the daemon starts as unless given. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Only commands that change nothing, whoever asks. */
  readonly restricted?: boolean | undefined;
  /** Who may connect; whoever the mode lets unless given. */
  readonly allow?: readonly string[] | undefined;
  /** Who may change something; everybody who may connect unless given. */
  readonly allowChanges?: readonly string[] | undefined;
}

export interface ControlConfig extends SocketAccess {
  /** Path of the unix socket; undefined = no control socket. */
  readonly socket: string | undefined;
  /** File mode of the socket. */
  readonly mode: number;
  /** The same over TCP. */
  readonly tcp?: ControlTcpConfig | undefined;
  /** Sockets that speak BIRD's control protocol. */
  readonly bird: readonly BirdSocketConfig[];
}

/** Every unix socket that there is to be. */
export function socketPaths({ socket, bird }: ControlConfig): string[] {
  return [...(socket === undefined ? [] : [socket]), ...bird.map((each) => each.socket)];
}

export interface ControlTcpConfig {
  readonly address: string;
  readonly port: number;
  /** Both sides show certificates; undefined = in the clear. */
  readonly tls: TlsFiles | undefined;
  /** Only commands that change nothing. */
  readonly restricted: boolean;
}

/** Paths of PEM files. */
export interface TlsFiles {
  /** Whose certificates are believed. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const BIRD_STYLES = ['auto', 'bird1', 'bird2', 'json'] as const;
/** How replies look; auto: as the dialect of the configuration has it, bird2 for the native one. */
export type BirdStyle = (typeof BIRD_STYLES)[number];

export interface BirdSocketConfig extends SocketAccess {
  readonly socket: string;
  readonly mode: number;
  readonly style: BirdStyle;
  /** Only commands that change nothing. */
  readonly restricted: boolean;
}
