import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { COMMAND_LIST } from '../../src/control/commands.ts';
import { CodecFactory } from '../../src/control/grpc/codec.ts';
import { ENUM_TEXTS } from '../../src/control/grpc/enum-texts.ts';
import { loadSchema } from '../../src/control/grpc/schema.ts';
import { FakeSpeaker, fakeAttributes, fakePeers, fakeRoute, fakeStatus } from '../support/fake-speaker.ts';

const { root, methods } = loadSchema();
const codecs = new CodecFactory();
const codecOf = (name: string) => codecs.codec(root.lookupType(`godwit.v1.${name}`));
const roundTrip = (name: string, view: object) => codecOf(name).decode(codecOf(name).encode(view));

/** The view without properties that are undefined, as it must come back. */
const present = (view: object): object => JSON.parse(JSON.stringify(view));

describe('the .proto file', () => {
  test('has one method for every command, and no other', () => {
    expect([...methods.keys()].sort()).toEqual(COMMAND_LIST.map((command) => command.method).sort());
    for (const command of COMMAND_LIST) {
      expect(methods.get(command.method)?.responseStream).toBe(command.kind !== 'unary');
    }
  });

  test('numbers every enum as its texts say', () => {
    const enums = root.lookup('godwit.v1');
    if (!(enums instanceof protobuf.Namespace)) throw new Error('no package');
    const found = enums.nestedArray.filter((each) => each instanceof protobuf.Enum);
    expect(found.map((each) => each.name).sort()).toEqual(Object.keys(ENUM_TEXTS).sort());
    for (const each of found) {
      const plain = (text: string) => text.replace(/[^a-z]/gi, '').toUpperCase();
      const texts = ENUM_TEXTS[each.name] ?? [];
      expect(Object.values(each.values)).toEqual([0, ...texts.map((_, index) => index + 1)]);
      Object.keys(each.values).forEach((name, number) => {
        expect(plain(name)).toBe(`${plain(each.name)}${plain(texts[number - 1] ?? 'unspecified')}`);
      });
    }
  });

  test('gives list commands their batch field, and fields of requests to arguments', () => {
    const service = root.lookupService('godwit.v1.Godwit');
    for (const command of COMMAND_LIST) {
      const method = service.methods[command.method]!;
      method.resolve();
      for (const argument of command.args) {
        const field = method.resolvedRequestType!.fields[argument.field];
        expect(field, `${command.name} ${argument.field}`).toBeDefined();
        expect(field!.repeated).toBe(argument.type === 'list');
      }
      if (command.kind === 'list')
        expect(method.resolvedResponseType!.fields[command.batch]!.repeated).toBe(true);
      if (command.kind === 'watch')
        expect(method.resolvedResponseType!.fields['events']!.repeated).toBe(true);
    }
  });
});

describe('views survive the wire', () => {
  const speaker = new FakeSpeaker();
  test.each([
    ['Status', fakeStatus()],
    ['Status', fakeStatus({ kernel: undefined, configFile: undefined, problems: ['a', 'b'], families: [] })],
    ...fakePeers().map((peer) => ['Peer', peer] as const),
    // The longest Long-Lived Stale Time.
    ['PeerFamily', { ...fakePeers()[0]!.families[0]!, keptFor: (2 ** 24 - 1) * 1000 }],
    ['Route', fakeRoute({ igpMetric: 0, stale: true, best: false })],
    ['UpdateGroup', speaker.updateGroups()[0]!],
    ...speaker.bfdSessions().map((session) => ['BfdSession', session] as const),
    ...speaker.rpkiCaches().map((cache) => ['RpkiCache', cache] as const),
    ...speaker.bmpStations().map((station) => ['BmpStation', station] as const),
    ...[...speaker.dampedRoutes()].map((route) => ['DampedRoute', route] as const),
    ...[...speaker.kernelRoutes()].map((route) => ['KernelRoute', route] as const),
    ...[...speaker.attributeSets()].map((set) => ['AttributeSet', set] as const),
    ['ReloadResult', { changes: [] }],
    ['RouteEvent', { family: 'ipv4-unicast', prefix: '0.0.0.0/0', best: undefined }],
    ['RouteEvent', { family: 'ipv4-unicast', prefix: '0.0.0.0/0', best: fakeRoute() }],
  ] as const)('%s %#', (name, view) => {
    expect(roundTrip(name, view)).toEqual(present(view));
  });

  test('zero is told from absent in optional fields', () => {
    expect(
      roundTrip('Attributes', fakeAttributes({ med: 0, localPref: undefined, asPath: '' })),
    ).toMatchObject({
      med: 0,
      asPath: '',
    });
    expect(roundTrip('Attributes', fakeAttributes({ localPref: undefined }))).not.toHaveProperty('localPref');
  });

  test('attributes of any content', () => {
    const text = fc.string({ unit: 'grapheme' });
    const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
    const attributes = fc.record({
      origin: fc.constantFrom('IGP', 'EGP', 'INCOMPLETE', undefined),
      asPath: text,
      med: fc.option(uint32, { nil: undefined }),
      localPref: fc.option(uint32, { nil: undefined }),
      atomicAggregate: fc.boolean(),
      aggregator: fc.option(text, { nil: undefined }),
      communities: fc.array(text),
      extendedCommunities: fc.array(text),
      largeCommunities: fc.array(text),
      originatorId: fc.option(text, { nil: undefined }),
      clusterList: fc.array(text),
      aigp: fc.option(text, { nil: undefined }),
      onlyToCustomer: fc.option(uint32, { nil: undefined }),
      unknown: fc.array(text),
    });
    fc.assert(
      fc.property(attributes, (view) => {
        expect(roundTrip('Attributes', view)).toEqual(present(view));
      }),
    );
  });

  test('large counters and fractions of milliseconds', () => {
    const big = Number.MAX_SAFE_INTEGER;
    const view = roundTrip('KernelStatus', { desired: big, lastScanAt: 1.9, installing: true });
    expect(view).toMatchObject({ desired: big, lastScanAt: 1, installed: 0, installing: true });
  });

  test('a number that a newer daemon gives to an enum reads as absent', () => {
    const type = root.lookupType('godwit.v1.Attributes');
    const bytes = type.encode({ origin: 99, asPath: '1' }).finish();
    expect(codecOf('Attributes').decode(bytes)).not.toHaveProperty('origin');
  });
});
