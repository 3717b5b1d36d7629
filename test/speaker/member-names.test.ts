// What members of ranges are called: numbers are given once, kept for who comes back, and never twice at a time.

import { describe, expect, it } from 'vitest';
import { MemberNames } from '../../src/speaker/member-names.ts';

const SPOKES = { name: 'spokes', limit: 3, memberNames: { prefix: 'dyn', digits: 2 } };
const nobody = () => false;

describe('names of members', () => {
  it('are their addresses where nothing is said', () => {
    expect(new MemberNames().nameOf({ name: 'spokes', limit: 3 }, '10.0.0.2', nobody)).toBe('10.0.0.2');
  });

  it('count, with zeros in front, and stay with the address', () => {
    const names = new MemberNames();
    const of = (address: string) => names.nameOf(SPOKES, address, nobody);
    expect(['10.0.0.2', '10.0.0.3', '10.0.0.2', '10.0.0.4'].map(of)).toEqual([
      'dyn01',
      'dyn02',
      'dyn01',
      'dyn03',
    ]);
    expect(names.of('10.0.0.3')).toEqual(['10.0.0.3', 'dyn02']);
    expect(names.of('10.0.0.9')).toEqual(['10.0.0.9']);
  });

  it('leave out what others are called, in other ranges, too', () => {
    const names = new MemberNames();
    expect(names.nameOf(SPOKES, '10.0.0.2', (name) => name === 'dyn01')).toBe('dyn02');
    expect(names.nameOf({ ...SPOKES, name: 'others' }, '10.0.1.2', nobody)).toBe('dyn01');
    expect(names.nameOf({ ...SPOKES, name: 'others' }, '10.0.1.3', nobody)).toBe('dyn03');
    expect(names.nameOf(SPOKES, '10.0.0.2', (name) => name === 'dyn02')).toBe('dyn04');
  });

  it('are remembered for as many as the range may have, those seen last', () => {
    const names = new MemberNames();
    const of = (address: string) => names.nameOf(SPOKES, address, nobody);
    for (const address of ['a', 'b', 'c', 'a', 'd']) of(address);
    expect(['a', 'c', 'd', 'b'].map(of)).toEqual(['dyn01', 'dyn03', 'dyn04', 'dyn05']);
  });

  it('of another process go on', () => {
    const names = new MemberNames();
    names.keep(SPOKES, '10.0.0.2', 'dyn07');
    names.keep(SPOKES, '10.0.0.3', 'dyn01');
    expect(['10.0.0.2', '10.0.0.4'].map((each) => names.nameOf(SPOKES, each, nobody))).toEqual([
      'dyn07',
      'dyn02',
    ]);
  });

  it('begin anew where the range has other ones', () => {
    const names = new MemberNames();
    names.nameOf(SPOKES, '10.0.0.2', nobody);
    names.forget('spokes');
    expect(names.of('10.0.0.2')).toEqual(['10.0.0.2']);
    expect(names.nameOf(SPOKES, '10.0.0.3', nobody)).toBe('dyn01');
  });

  it('go on in another process, unless the range calls its members otherwise there', () => {
    const names = new MemberNames();
    for (const address of ['a', 'b', 'c', 'a', 'd']) names.nameOf(SPOKES, address, nobody);
    const image = names.image(SPOKES);
    const next = new MemberNames();
    next.restore(SPOKES, image);
    expect(['c', 'e', 'a'].map((address) => next.nameOf(SPOKES, address, nobody))).toEqual([
      'dyn03',
      'dyn05',
      'dyn06',
    ]);
    const other = new MemberNames();
    const renamed = { ...SPOKES, memberNames: { prefix: 'x', digits: 0 } };
    other.restore(renamed, image);
    expect(other.nameOf(renamed, 'c', nobody)).toBe('x1');
  });
});
