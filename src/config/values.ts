// The scalars of the user's language as zod schemas: AS numbers, addresses, prefixes, communities, seconds. Each
// complains in a sentence and says what is accepted; parsing to the model's form stands beside each schema.
// RFC 7607 (AS 0), RFC 6793 (AS_TRANS), RFC 7300 (last ASes), RFC 5396 (asdot).

import { z } from 'zod';
import {
  formatAddress,
  formatPrefix,
  type IpVersion,
  parseAddress,
  parsePrefix,
  parseQuad,
} from '../lib/ip.ts';

export interface Complaint {
  readonly message: string;
  readonly hint: string;
}

/** A text that `test` must have nothing to say about. */
export function text(test: (value: string) => Complaint | undefined) {
  return z.string().check((context) => {
    const complaint = test(context.value);
    if (complaint === undefined) return;
    const { message, hint } = complaint;
    context.issues.push({ code: 'custom', message, params: { hint }, input: context.value });
  });
}

export const interfacePatternsSchema = z.array(
  text((value) =>
    /^-?[^\s-][^\s]*$/.test(value)
      ? undefined
      : { message: 'this is not an interface pattern', hint: 'examples: "eth*", "-cali*", "*"' },
  ),
);

/** A switch, and what it is where nobody says. */
export function flag(description: string, fallback: boolean) {
  return z.boolean().meta({ description, default: fallback }).optional();
}

const LARGEST_ASN = 0xffff_ffff;
const LARGEST_2_OCTET = 0xffff;
const AS_TRANS = 23456;

const ASN_HINT = 'an AS number is 1 to 4294967295, or "64512.1" in quotes';

/** `64512`, `AS64512` or asdot `64512.1` (RFC 5396) as a number; undefined where it is none. */
export function parseAsn(value: string | number): number | undefined {
  if (typeof value === 'number') return value;
  const match = /^(?:AS)?(\d{1,10})(?:\.(\d{1,5}))?$/i.exec(value);
  if (match === null) return undefined;
  const high = Number(match[1]);
  if (match[2] === undefined) return high <= LARGEST_ASN ? high : undefined;
  const low = Number(match[2]);
  return high <= LARGEST_2_OCTET && low <= LARGEST_2_OCTET ? high * (LARGEST_2_OCTET + 1) + low : undefined;
}

function complainAboutAsn(value: string): Complaint | undefined {
  const asn = parseAsn(value);
  if (asn === undefined) return { message: 'this is not an AS number', hint: ASN_HINT };
  // RFC 7607 §2
  return asn === 0
    ? { message: 'AS 0 is reserved and may not be used (RFC 7607)', hint: ASN_HINT }
    : undefined;
}

const asnNumber = z
  .int()
  .min(0)
  .max(LARGEST_ASN)
  .check((context) => {
    const complaint = complainAboutAsn(`${context.value}`);
    if (complaint === undefined) return;
    const { message, hint } = complaint;
    context.issues.push({ code: 'custom', message, params: { hint }, input: context.value });
  })
  .meta({ minimum: 1 });
export const asnSchema = z.union([asnNumber, text(complainAboutAsn)], { error: 'expected an AS number' });

/** The AS of a peer; a word stands for every AS on one side. */
export const peerAsnSchema = z.union(
  [
    asnNumber,
    text((value) => {
      if (value === 'internal' || value === 'external') return undefined;
      const complaint = complainAboutAsn(value);
      return complaint && { ...complaint, hint: `${complaint.hint}, or internal, or external` };
    }),
  ],
  { error: 'expected an AS number, internal or external' },
);

/** Why an AS number, though valid, is probably a mistake. */
export function doubtAboutAsn(asn: number): Complaint | undefined {
  if (asn === AS_TRANS) {
    return {
      message: 'AS 23456 is AS_TRANS, the placeholder for 4-octet ASes, and belongs to nobody (RFC 6793)',
      hint: 'write the real 4-octet AS number',
    };
  }
  if (asn === LARGEST_2_OCTET || asn === LARGEST_ASN) {
    return {
      message: `AS ${asn} is reserved (RFC 7300)`,
      hint: 'private ASes are 64512 to 65534 and 4200000000 to 4294967294',
    };
  }
  return undefined;
}

export const addressSchema = text((value) => {
  if (parseAddress(value) !== undefined) return undefined;
  const prefix = parsePrefix(value, true);
  return {
    message:
      prefix === undefined
        ? 'this is not an IP address'
        : 'an address without a prefix length is needed here',
    hint:
      prefix === undefined
        ? 'examples: 192.0.2.1, 2001:db8::1, fe80::1%eth0'
        : `write ${value.slice(0, value.indexOf('/'))}`,
  };
});

/** An address of one version only, without a zone. */
export function versionSchema(version: IpVersion) {
  const octets = version === 'ipv4' ? 4 : 16;
  return text((value) => {
    const address = parseAddress(value);
    if (address !== undefined && address.bytes.length === octets && address.zone === undefined)
      return undefined;
    return {
      message: `this is not an ${version === 'ipv4' ? 'IPv4' : 'IPv6'} address`,
      hint: version === 'ipv4' ? 'example: 192.0.2.1' : 'example: 2001:db8::1',
    };
  });
}

/** An address as the model writes it: RFC 5952, zone kept. */
export function canonicalAddress(value: string): string {
  const address = parseAddress(value);
  return address === undefined ? value : formatAddress(address.bytes, address.zone);
}

export const prefixSchema = text((value) => {
  if (parsePrefix(value) !== undefined) return undefined;
  const meant = parsePrefix(value, true);
  if (meant !== undefined) {
    return {
      message: `the prefix has bits set behind its length ${meant.length}`,
      hint: `${formatPrefix(meant)} was probably meant`,
    };
  }
  const bare = parseAddress(value);
  const length = bare?.bytes.length === 4 ? 32 : 128;
  return {
    message: 'this is not a prefix',
    hint:
      bare === undefined || bare.zone !== undefined
        ? 'examples: 192.0.2.0/24, 2001:db8::/32'
        : `${value}/${length} for this one address`,
  };
});

export function canonicalPrefix(value: string): string {
  const prefix = parsePrefix(value);
  return prefix === undefined ? value : formatPrefix(prefix);
}

/** RFC 6286 §2.1: a BGP Identifier is any non-zero value. */
export const quadSchema = text((value) => {
  const quad = parseQuad(value);
  if (quad !== undefined && quad !== 0) return undefined;
  return {
    message: quad === 0 ? '0.0.0.0 is not a valid identifier (RFC 6286)' : 'this is not a dotted quad',
    hint: 'four octets as in an IPv4 address, not all zero: 10.99.0.1',
  };
});

export function seconds(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** RFC 4271 §4.2: zero, or at least three seconds. */
export const holdTimeSchema = z
  .int()
  .min(0)
  .max(0xffff)
  .check((context) => {
    if (context.value !== 1 && context.value !== 2) return;
    context.issues.push({
      code: 'custom',
      message: `a hold time of ${context.value} is not allowed (RFC 4271)`,
      params: { hint: 'use 0 (never) or 3 to 65535 seconds' },
      input: context.value,
    });
  });

export const portSchema = z.int().min(1).max(0xffff);

/** IANA's names of well-known communities, with the RFC they are from. */
export const WELL_KNOWN_COMMUNITIES: Readonly<Record<string, string>> = {
  'graceful-shutdown': '65535:0', // RFC 8326
  'accept-own': '65535:1', // RFC 7611
  'llgr-stale': '65535:6', // RFC 9494
  'no-llgr': '65535:7', // RFC 9494
  blackhole: '65535:666', // RFC 7999
  'no-export': '65535:65281', // RFC 1997
  'no-advertise': '65535:65282', // RFC 1997
  'no-export-subconfed': '65535:65283', // RFC 1997
  'no-peer': '65535:65284', // RFC 3765
};

/** `a:b` (RFC 1997) or `a:b:c` (RFC 8092); names become numbers. Undefined where it is neither. */
export function parseCommunity(value: string): string | undefined {
  const known = Object.hasOwn(WELL_KNOWN_COMMUNITIES, value) ? WELL_KNOWN_COMMUNITIES[value] : undefined;
  if (known !== undefined) return known;
  const parts = value.split(':');
  if (parts.length !== 2 && parts.length !== 3) return undefined;
  const largest = parts.length === 2 ? LARGEST_2_OCTET : LARGEST_ASN;
  const numbers = parts.map((part) => (/^\d{1,10}$/.test(part) ? Number(part) : Number.NaN));
  return numbers.every((number) => number <= largest) ? numbers.join(':') : undefined;
}

export const communitySchema = text((value) =>
  parseCommunity(value) === undefined
    ? {
        message: 'this is not a community',
        hint: `a:b (each up to 65535), a:b:c (large), or ${Object.keys(WELL_KNOWN_COMMUNITIES).join(', ')}`,
      }
    : undefined,
);

/** IFNAMSIZ is 16 with its final zero. */
const LONGEST_INTERFACE = 15;

export const interfaceSchema = text((value) =>
  value.length <= LONGEST_INTERFACE && /^[^\s/%]+$/.test(value)
    ? undefined
    : { message: 'this is not the name of an interface', hint: 'up to 15 characters, as `ip link` shows it' },
);

export interface Endpoint {
  readonly address: string;
  readonly port: number | undefined;
}

/** `127.0.0.1:8179`, `[::1]:8179`, or an address alone. */
export function parseEndpoint(value: string): Endpoint | undefined {
  const whole = parseAddress(value);
  if (whole !== undefined) return { address: formatAddress(whole.bytes, whole.zone), port: undefined };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(value);
  const address = match === null ? undefined : parseAddress(match[1] ?? match[2] ?? '');
  if (match === null || address === undefined) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 0xffff)) return undefined;
  return { address: formatAddress(address.bytes, address.zone), port };
}

export function endpointSchema(needsPort: boolean) {
  return text((value) => {
    const endpoint = parseEndpoint(value);
    if (endpoint !== undefined && (endpoint.port !== undefined || !needsPort)) return undefined;
    return {
      message: endpoint === undefined ? 'this is not an address with a port' : 'the port is missing',
      hint: 'examples: "127.0.0.1:8179", "[::1]:8179"',
    };
  });
}
