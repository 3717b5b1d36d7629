import { describe, expect, it } from 'vitest';
import { decodeMessages } from '../../src/bmp/message.ts';
import {
  StationClient,
  type StationSettings,
  type StationSocket,
  type StationSocketEvents,
} from '../../src/bmp/station-client.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { SimClock } from '../../src/sim/clock.ts';

/** One connection as the station has it: takes what it is told to take. */
class StationEnd implements StationSocket {
  readonly events: StationSocketEvents;
  readonly written: Uint8Array[] = [];
  queuedBytes = 0;
  closed = false;

  constructor(events: StationSocketEvents) {
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    this.queuedBytes += bytes.length;
  }

  close(): void {
    this.closed = true;
  }

  take(): void {
    this.queuedBytes = 0;
    this.events.onDrain();
  }

  get kinds(): string[] {
    return decodeMessages(new Uint8Array(this.written.flatMap((bytes) => [...bytes]))).messages.map(
      ({ kind }) => kind,
    );
  }
}

function rig(settings: Partial<StationSettings> = {}) {
  const clock = new SimClock();
  const ends: StationEnd[] = [];
  const told: string[] = [];
  const client = new StationClient(
    { systemName: 'n', systemDescription: 'd', bufferLimit: 1000, ...settings },
    {
      clock,
      log: silentLogger,
      dial: (events) => {
        const end = new StationEnd(events);
        ends.push(end);
        return end;
      },
      onUp: () => void told.push('up'),
      onDown: () => void told.push('down'),
      onDrain: () => void told.push('drain'),
      onChange: () => undefined,
    },
  );
  client.start();
  return { clock, ends, told, client, last: () => ends.at(-1)! };
}

const SOME = new Uint8Array(400);

describe('the client of a station', () => {
  it('begins with an Initiation and ends with a Termination (7854-4.3-1, 7854-4.5-1)', () => {
    const { client, told, last } = rig();
    client.send(SOME);
    expect([last().written, client.status.state]).toEqual([[], 'Connect']);
    last().events.onOpen();
    expect([last().kinds, told]).toEqual([['initiation'], ['up']]);
    client.stop();
    client.send(SOME);
    expect([last().kinds, last().closed, told]).toEqual([
      ['initiation', 'termination'],
      true,
      ['up', 'down'],
    ]);
    expect(client.status).toMatchObject({ state: 'Down', problem: undefined, retryIn: undefined });
  });

  it('says nothing where it never came up', () => {
    const { client, told, last } = rig();
    client.stop();
    expect([last().written, last().closed, told]).toEqual([[], true, []]);
  });

  it('counts what is sent, and asks for no more than half of what may wait', () => {
    const { client, told, last } = rig();
    last().events.onOpen();
    last().take();
    expect(client.hasRoom).toBe(true);
    const before = client.status.sessionOctets;
    client.send(SOME);
    expect(client.hasRoom).toBe(true);
    client.send(SOME);
    expect(client.hasRoom).toBe(false);
    expect(client.status).toMatchObject({ queued: 800, sessionOctets: before + 800 });
    last().take();
    expect([client.hasRoom, told]).toEqual([true, ['up', 'drain', 'drain']]);
  });

  it('lets a station go at the limit of what may wait, and begins anew', async () => {
    const { client, clock, ends, told, last } = rig();
    last().events.onOpen();
    for (let i = 0; i < 3; i++) client.send(SOME);
    expect([last().closed, told]).toEqual([true, ['up', 'down']]);
    expect(client.status).toMatchObject({
      state: 'Idle',
      overflows: 1,
      problem: 'the station takes too little: more than 1000 octets wait for it',
    });
    client.send(SOME);
    clock.advance(30_000);
    expect(ends).toHaveLength(2);
    last().events.onOpen();
    expect(client.status).toMatchObject({ problem: undefined, connections: 2 });
    expect(last().kinds).toEqual(['initiation']);
  });

  it('waits twice as long after each failure, up to twelve minutes, and begins anew after a long connection', () => {
    const { client, clock, ends, last } = rig();
    const pauses: number[] = [];
    const fail = (): void => {
      last().events.onClose('refused');
      const { retryIn = 0 } = client.status;
      pauses.push(retryIn / 1000);
      clock.advance(retryIn - 1);
      const before = ends.length;
      clock.advance(1);
      expect(ends.length).toBe(before + 1);
    };
    for (let i = 0; i < 6; i++) fail();
    // Up, and gone at once.
    last().events.onOpen();
    fail();
    last().events.onOpen();
    clock.advance(31_000);
    fail();
    fail();
    expect(pauses).toEqual([30, 60, 120, 240, 480, 720, 720, 30, 60]);
  });
});
