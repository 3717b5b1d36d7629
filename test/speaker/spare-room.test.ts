import { describe, expect, it } from 'vitest';
import { SimClock } from '../../src/sim/clock.ts';
import { SpareRoom } from '../../src/speaker/spare-room.ts';

const MANY = 200_000;

function setup() {
  const clock = new SimClock();
  const rib = {
    rows: { used: 0, spare: 0 },
    idle: true,
    compacted: 0,
    /** What lies below a row in use. */
    stuck: 0,
    compact() {
      this.compacted++;
      this.rows = { ...this.rows, spare: this.stuck };
    },
  };
  let told = 0;
  const room = new SpareRoom({ clock, rib, onCompacted: () => void told++ });
  return { clock, rib, room, told: () => told };
}

describe('spare room', () => {
  it('goes when it has been spare for a while', () => {
    const { clock, rib, told } = setup();
    rib.rows = { used: 10, spare: MANY };
    clock.advance(25_000);
    expect(rib.compacted).toBe(0);
    clock.advance(10_000);
    expect([rib.compacted, told()]).toEqual([1, 1]);
    clock.advance(600_000);
    expect([rib.compacted, told()]).toEqual([1, 1]);
  });

  it('stays while routes come back', () => {
    const { clock, rib } = setup();
    for (let i = 0; i < 10; i++) {
      rib.rows = { used: 10, spare: MANY };
      clock.advance(20_000);
      rib.rows = { used: MANY, spare: 10 };
      clock.advance(20_000);
    }
    expect(rib.compacted).toBe(0);
  });

  it.each([
    ['there is little of it', 0, 1000],
    ['most of the room is in use', MANY, MANY - 1],
  ])('stays where %s', (_, used, spare) => {
    const { clock, rib } = setup();
    rib.rows = { used, spare };
    clock.advance(600_000);
    expect(rib.compacted).toBe(0);
  });

  it('waits for the tables to be idle', () => {
    const { clock, rib } = setup();
    rib.rows = { used: 0, spare: MANY };
    rib.idle = false;
    clock.advance(600_000);
    expect(rib.compacted).toBe(0);
    rib.idle = true;
    clock.advance(10_000);
    expect(rib.compacted).toBe(1);
  });

  it('is not looked for again where a row in use keeps it', () => {
    const { clock, rib } = setup();
    rib.stuck = MANY;
    rib.rows = { used: 1, spare: MANY };
    clock.advance(600_000);
    expect(rib.compacted).toBe(1);
    rib.rows = { used: 1, spare: 3 * MANY };
    clock.advance(600_000);
    expect(rib.compacted).toBe(2);
  });

  it('ends with the speaker', () => {
    const { clock, rib, room } = setup();
    rib.rows = { used: 0, spare: MANY };
    room.stop();
    clock.advance(600_000);
    expect(rib.compacted).toBe(0);
  });
});
