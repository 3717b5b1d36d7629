import { describe, expect, it } from 'vitest';
import { traceStates } from '../../../src/cli/bird/traces.ts';
import { FILE_SYSTEM, loadBird } from '../../../src/config/bird/load.ts';
import type { PeerEvent, PeerView } from '../../../src/speaker/api.ts';

function bird(text: string) {
  const result = loadBird(`router id 10.0.0.1;\n${text}`, 'bird.conf', FILE_SYSTEM, {
    hostname: 'h',
    addresses: [],
  });
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.bird;
}

const peer = (debug: string): string =>
  `protocol bgp b1 { local as 1; neighbor 10.0.0.2 as 1; ipv4; ${debug} }`;

/** The lines for these states, one after the other. */
function traced(text: string, states: readonly PeerView['state'][]): string[] {
  const lines: string[] = [];
  let tell: (event: PeerEvent) => void = () => {};
  const view = (state: PeerView['state']) => ({ name: 'b1', adminUp: true, state }) as PeerView;
  const api = {
    peers: () => [view('Idle')],
    watchPeers: (listener: (event: PeerEvent) => void) => {
      tell = listener;
      return () => {};
    },
  };
  traceStates(
    api,
    () => bird(text),
    (line) => lines.push(line),
  );
  for (const state of states) tell({ kind: 'peer', peer: view(state) });
  return lines;
}

const LIFE = ['Connect', 'OpenSent', 'OpenConfirm', 'Established', 'Idle'] as const;
const STATES = ['b1: State changed to up', 'b1: State changed to start'];
const EVENTS = ['b1: BGP session established', 'b1: BGP session closed'];

describe('traceStates', () => {
  it.each([
    ['nothing where nothing is asked for', peer(''), []],
    ['states', peer('debug { states };'), STATES],
    ['events', peer('debug { events };'), EVENTS],
    ['both', peer('debug all;'), [STATES[0], EVENTS[0], STATES[1], EVENTS[1]]],
    ['what holds for all protocols', `debug protocols { states };\n${peer('')}`, STATES],
    ['what a protocol says itself before that', `debug protocols all;\n${peer('debug off;')}`, []],
  ])('tells %s', (_name, text, expected) => {
    expect(traced(text, LIFE)).toEqual(expected);
  });
});
