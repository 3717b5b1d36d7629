// What BIRD's face wants of the system and Node does not have: the system's log, and another user. koffi is loaded when
// one of them is really needed. The log is written as syslog(3) does it, but never waited for: that one waits for ever
// for a log daemon that hangs. Here lines wait instead, up to a limit, and beyond that they are counted.

import { findGroup, findUser } from '../../lib/accounts.ts';
import { systemClock } from '../../lib/clock.ts';
import { formatTime } from '../../lib/time-format.ts';
import { dropPrivileges, PrivilegeError } from '../privileges.ts';

const AF_UNIX = 1;
/** SOCK_DGRAM, SOCK_NONBLOCK and SOCK_CLOEXEC */
const SOCKET_TYPE = 2 | 0o4000 | 0o2000000;
/** MSG_DONTWAIT and MSG_NOSIGNAL */
const SEND_FLAGS = 0x40 | 0x4000;
const EAGAIN = 11;
/** Octets of sockaddr_un.sun_path. */
const PATH_OCTETS = 108;
const DEV_LOG = '/dev/log';
/** Octets that may wait for a log daemon that is busy. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Its queue has room for ten lines, or some hundreds. */
const RETRY_MS = 5;

export interface SyslogOptions {
  /** Of a message about lost ones. */
  readonly lossPriority: number;
  readonly lossName: string;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** For tests: another socket than the system's, and another limit. */
  readonly path?: string;
  readonly mostWaiting?: number;
}

/** `name`: under which the message stands there. */
export type WriteSyslog = (priority: number, name: string, text: string) => void;

/** Opens the system's log (RFC 3164 §5.1, as libc has it). Rejects where koffi or libc cannot be loaded. */
export async function openSyslog(options: SyslogOptions): Promise<WriteSyslog> {
  const { lossPriority, lossName, now, path = DEV_LOG, mostWaiting = MOST_WAITING } = options;
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const makeSocket = libc.func('int socket(int, int, int)');
  const connect = libc.func('int connect(int, const void *, unsigned int)');
  const send = libc.func('long send(int, const void *, size_t, int)');
  const close = libc.func('int close(int)');
  const address = Buffer.alloc(2 + PATH_OCTETS);
  address.writeUInt16LE(AF_UNIX);
  address.write(path, 2, PATH_OCTETS - 1);
  let socket = -1;

  const shut = (): void => {
    if (socket >= 0) close(socket);
    socket = -1;
  };
  const open = (): boolean => {
    socket = makeSocket(AF_UNIX, SOCKET_TYPE, 0);
    if (socket >= 0 && connect(socket, address, address.length) === 0) return true;
    shut();
    return false;
  };
  const post = (line: Buffer): Posted => {
    // Once more where the log daemon was started anew.
    for (let i = 0; i < 2; i++) {
      if (socket < 0 && !open()) return 'nobody';
      if (send(socket, line, line.length, SEND_FLAGS) >= 0) return 'sent';
      if (koffi.errno() === EAGAIN) return 'busy';
      shut();
    }
    return 'nobody';
  };
  const compose = (priority: number, name: string, text: string): Buffer =>
    Buffer.from(`<${priority}>${formatTime('%b %e %T', now())} ${name}[${process.pid}]: ${text}`);
  const loss = (lost: number): Buffer =>
    compose(lossPriority, lossName, `${lost} log lines were lost because nobody read them`);
  const tell = patientWriter(post, loss, mostWaiting);
  return (...message) => tell(compose(...message));
}

/** busy: it may be taken later. nobody: there is no log. */
type Posted = 'sent' | 'busy' | 'nobody';

function patientWriter(
  post: (line: Buffer) => Posted,
  lossOf: (lost: number) => Buffer,
  mostWaiting: number,
): (line: Buffer) => void {
  let waiting: Buffer[] = [];
  let octets = 0;
  let lost = 0;
  const tell = (line: Buffer): void => {
    const posted = waiting.length > 0 ? 'busy' : post(line);
    if (posted === 'sent') return;
    if (posted === 'nobody' || octets > mostWaiting) {
      lost++;
      return;
    }
    if (waiting.length === 0) systemClock.setTimer(RETRY_MS, drain);
    waiting.push(line);
    octets += line.length;
  };
  const tellLoss = (): void => {
    if (lost > 0 && post(lossOf(lost)) === 'sent') lost = 0;
  };
  const drain = (): void => {
    let done = 0;
    for (const line of waiting) {
      const posted = post(line);
      if (posted === 'busy') break;
      if (posted === 'nobody') lost++;
      octets -= line.length;
      done++;
    }
    waiting = waiting.slice(done);
    if (waiting.length > 0) systemClock.setTimer(RETRY_MS, drain);
    else tellLoss();
  };
  return (line) => {
    if (waiting.length === 0) tellLoss();
    tell(line);
  };
}

/** Becomes BIRD's -u and -g: the groups of the user are not taken, as BIRD does not either. Throws PrivilegeError. */
export function becomeBird(user: string | undefined, group: string | undefined): void {
  const gid = group === undefined ? undefined : findGroup(group);
  if (group !== undefined && gid === undefined) throw new PrivilegeError(`Cannot find group '${group}'`);
  const uid = user === undefined ? undefined : findUser(user)?.uid;
  if (user !== undefined && uid === undefined) throw new PrivilegeError(`Cannot find user '${user}'`);
  dropPrivileges({ uid, gid, groups: gid === undefined ? [] : [gid] });
}
