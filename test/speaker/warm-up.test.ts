import { describe, expect, it } from 'vitest';
import { SimClock } from '../../src/sim/clock.ts';
import { type Leisure, warmUp } from '../../src/speaker/warm-up.ts';

/** On a clock that a slice of work does not move. */
function setup(leisure: () => Leisure) {
  const clock = new SimClock();
  const turns: (() => void)[] = [];
  const looks: Leisure[] = [];
  let ended = 0;
  warmUp({
    clock,
    defer: (fn) => void turns.push(fn),
    leisure: () => {
      looks.push(leisure());
      return looks.at(-1)!;
    },
    othersListen: true,
    onEnd: () => void ended++,
  });
  const turn = (): void => {
    for (const fn of turns.splice(0)) fn();
  };
  return { clock, turn, looks, ended: () => ended };
}

describe('warming up', () => {
  it('goes on turn by turn while nothing happens, and ends with the speaker', () => {
    let leisure: Leisure = 'quiet';
    const { turn, looks, ended } = setup(() => leisure);
    // Between two slices the loop turns with nothing to do.
    for (let i = 0; i < 5; i++) turn();
    expect(looks).toEqual(['quiet', 'quiet']);
    leisure = 'over';
    for (let i = 0; i < 10; i++) turn();
    expect([looks.length, ended()]).toEqual([3, 1]);
  });

  it('ends when its work is done, however long that takes', () => {
    const { turn, looks, ended } = setup(() => 'quiet');
    while (ended() === 0 && looks.length < 10_000) turn();
    const slices = looks.length;
    for (let i = 0; i < 10; i++) turn();
    expect([ended(), looks.length]).toEqual([1, slices]);
  });

  it('waits while there is real work, and goes on at once when that is done', () => {
    let leisure: Leisure = 'busy';
    const { clock, turn, looks } = setup(() => leisure);
    for (let i = 0; i < 10; i++) turn();
    expect(looks.length).toBe(1);
    clock.advance(100);
    expect(looks.length).toBe(6);
    leisure = 'quiet';
    clock.advance(20);
    for (let i = 0; i < 4; i++) turn();
    expect(looks.slice(6)).toEqual(['quiet', 'quiet']);
  });

  it('gives up where it never becomes quiet', () => {
    const { clock, turn, ended } = setup(() => 'busy');
    turn();
    clock.advance(59_000);
    expect(ended()).toBe(0);
    clock.advance(2000);
    expect(ended()).toBe(1);
  });
});
