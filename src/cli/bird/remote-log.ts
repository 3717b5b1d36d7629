// BIRD's log on this host: messages for the system's log and for other hosts' logs (RFC 3164), in the severities of
// RFC 5424 §6.2.1. Nobody waits for them.

import { createSocket, type Socket, type SocketType } from 'node:dgram';
import { type BirdLog, createBirdLog, type LogClass } from './log.ts';
import { openSyslog, type WriteSyslog } from './native.ts';

const STDERR = 2;
const FACILITY_DAEMON = 3 << 3;
const SEVERITY: Readonly<Record<LogClass, number>> = {
  debug: 7,
  trace: 7,
  info: 6,
  remote: 5,
  warning: 4,
  error: 3,
  auth: 5,
  fatal: 2,
  bug: 2,
};

/** The own host's log. Messages from before it is open wait. */
function systemLog(now: () => number): (name: string, logClass: LogClass, text: string) => void {
  let write: WriteSyslog | undefined;
  let waiting: Parameters<WriteSyslog>[] = [];
  const opened = (writer: WriteSyslog): void => {
    write = writer;
    for (const message of waiting) writer(...message);
    waiting = [];
  };
  return (name, logClass, text) => {
    const priority = FACILITY_DAEMON | SEVERITY[logClass];
    if (write !== undefined) {
      write(priority, name, text);
      return;
    }
    waiting.push([priority, name, text]);
    // The first one opens it, for all names. Without libc there is no such log.
    if (waiting.length > 1) return;
    const lossPriority = FACILITY_DAEMON | SEVERITY.warning;
    openSyslog({ lossPriority, lossName: name, now }).then(opened, () => opened(() => {}));
  };
}

/** Other hosts' logs. */
function remoteLog() {
  const sockets = new Map<SocketType, Socket>();
  const socketFor = (type: SocketType): Socket => {
    const known = sockets.get(type);
    if (known !== undefined) return known;
    const socket = createSocket(type);
    socket.unref();
    socket.on('error', () => {});
    sockets.set(type, socket);
    return socket;
  };
  return (host: string, port: number, name: string, logClass: LogClass, text: string): void => {
    const socket = socketFor(host.includes(':') ? 'udp6' : 'udp4');
    socket.send(`<${FACILITY_DAEMON | SEVERITY[logClass]}>${name}: ${text}`, port, host, () => {});
  };
}

/** BIRD's log with everything that it can write to. `now`: wall-clock milliseconds. */
export function openBirdLog(name: string, debug: boolean, now: () => number): BirdLog {
  return createBirdLog(name, debug, { now, syslog: systemLog(now), udp: remoteLog(), stderr: STDERR });
}
