// Ports for tests that must know one beforehand. Two runs on one machine must not meet at it.

/** Below those that the system gives away by itself. */
const FIRST = 10_000;
const PORTS_EACH = 4;
const PROCESSES = 5000;

/** The nth port of this process, from 0 to 3. */
export function ownPort(nth = 0): number {
  return FIRST + (process.pid % PROCESSES) * PORTS_EACH + nth;
}
