// What birdc makes of abbreviations, and what it offers; the same words come out of the real client.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseClientArguments } from '../../../src/cli/bird/client.ts';
import { CLIENT_COMMANDS, expand, offered } from '../../../src/cli/bird/client-commands.ts';
import { CLIENTS } from '../../../src/cli/bird/faces.ts';

const lineOf = (input: string): string | undefined => {
  const found = expand(input);
  return found.kind === 'command' ? found.line : undefined;
};

describe('abbreviations', () => {
  it.each([
    ['sh pr', 'show protocols'],
    ['show pro all s1', 'show protocols all s1'],
    ['sh pr a s1', 'show protocols all s1'],
    ['show  status', 'show status'],
    ['sho rou for 10.0.0.1 all', 'show route for 10.0.0.1 all'],
    ['show route where net ~ [ 10.0.0.0/8+ ]', 'show route where net ~ [ 10.0.0.0/8+ ]'],
    ['conf', 'configure'],
    ['conf ch "/etc/x y.conf"', 'configure check "/etc/x y.conf"'],
    ['ev 1  +  2', 'eval 1  +  2'],
    ['reload in b1', 'reload in b1'],
    ['disable b1 "why  not"', 'disable b1 "why  not"'],
    ['dow', 'down'],
  ])('%s', (input, line) => {
    expect(lineOf(input)).toBe(line);
  });

  it.each(['sh st', 're', 'e', 's r'])('%s has several meanings', (input) => {
    expect(expand(input).kind).toBe('ambiguous');
  });

  it.each(['nosuch', 's', 'show', 'show nosuch', '?', '', 'Show status'])('%j is no command', (input) => {
    expect(expand(input).kind).toBe('unknown');
  });

  it('whole words always mean themselves, and arguments are never touched', () => {
    const argument = fc.stringMatching(/^[0-9"/(){}.]([^\n]*[^\s])?$/);
    fc.assert(
      fc.property(fc.constantFrom(...CLIENT_COMMANDS), argument, ({ words }, rest) => {
        expect(lineOf(words)).toBe(words);
        expect(lineOf(`${words} ${rest}`)).toBe(`${words} ${rest}`);
      }),
    );
  });
});

describe('what is offered', () => {
  const words = (input: string) => offered(input).map((each) => each.words);

  it('begins with the first words', () => {
    expect(words('')).toContain('configure');
    expect(words('')).toContain('show');
    expect(words('re')).toEqual(['restart', 'reload', 'restrict']);
  });

  it('goes on behind them, abbreviated or not', () => {
    expect(words('sh st')).toEqual(['show status', 'show static']);
    expect(words('show protocols ')).toEqual(['show protocols all']);
    expect(words('nosuch ')).toEqual([]);
  });
});

describe('the flags of birdcl', () => {
  const face = CLIENTS['birdcl']!;

  it('come before the words', () => {
    expect(parseClientArguments(['-vr', '-s', 'x.ctl', 'show', 'route', '-v'], face)).toEqual({
      socket: 'x.ctl',
      verbose: true,
      restricted: true,
      words: ['show', 'route', '-v'],
    });
    expect(parseClientArguments(['-l'], face)).toMatchObject({ socket: 'bird.ctl' });
    expect(parseClientArguments(['-x'], face)).toBe("invalid option -- 'x'");
    expect(parseClientArguments(['-s'], face)).toBe("option requires an argument -- 's'");
  });
});
