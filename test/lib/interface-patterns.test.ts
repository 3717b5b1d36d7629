import { describe, expect, it } from 'vitest';
import { type LinkChoice, linksMeet } from '../../src/lib/interface-patterns.ts';

const one = (link: string): LinkChoice => ({ interface: link });
const many = (...interfaces: string[]): LinkChoice => ({ interfaces });

describe('linksMeet', () => {
  it.each<[string, LinkChoice, LinkChoice, boolean]>([
    ['one link and the same', one('eth0'), one('eth0'), true],
    ['two links', one('eth0'), one('eth1'), false],
    ['a link and a pattern that takes it', one('eth0'), many('eth*'), true],
    ['a link and a pattern that excludes it', one('eth0'), many('-eth0', 'eth*'), false],
    ['two lists without a common link', many('eth0', 'eth1'), many('eth2'), false],
    ['two lists with one', many('eth0', 'eth1'), many('eth1', 'eth2'), true],
    ['a pattern and a narrower one', many('eth*'), many('eth1?'), true],
    ['patterns for different links', many('eth*'), many('wlan*'), false],
    ['a pattern and another that excludes what it takes', many('eth*'), many('-eth*', '*'), false],
    ['any link and one', {}, one('eth0'), true],
    ['any link and a pattern', {}, many('eth*'), true],
  ])('%s', (_what, a, b, expected) => {
    expect([linksMeet(a, b), linksMeet(b, a)]).toEqual([expected, expected]);
  });
});
