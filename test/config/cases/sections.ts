// Mistakes in the other sections.

import { type Case, R } from './case.ts';

export const SECTION_CASES: readonly Case[] = [
  // Other sections
  {
    what: 'one network twice',
    yaml: `${R}networks: [10.0.0.0/8, { prefix: 10.0.0.0/8 }]\n`,
    at: '2:34',
    message: /already networks\[0\]/,
  },
  {
    what: 'via without next hops',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, type: via }]\n`,
    at: '2:40',
    message: /needs next hops/,
  },
  {
    what: 'next hops of a blackhole',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, type: blackhole, via: 10.1.1.1 }]\n`,
    at: '2:56',
    message: /has no next hops/,
  },
  {
    what: 'IPv6 via IPv4',
    yaml: `${R}networks: [{ prefix: "2001:db8::/32", via: 10.1.1.1 }]\n`,
    at: '2:44',
    message: /IPv4 next hop/,
  },
  {
    what: 'a link-local next hop on no link',
    yaml: `${R}networks: [{ prefix: "2001:db8::/32", via: "fe80::1" }]\n`,
    at: '2:44',
    message: /^a link-local address needs its interface$/,
    hint: /fe80::1%eth0/,
  },
  {
    what: 'a link-local next hop on no link among others',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, via: ["fe80::1%eth1", "fe80::2"] }]\n`,
    at: '2:56',
    message: /link-local address needs/,
    hint: /fe80::2%eth0/,
  },
  {
    what: 'one listener twice',
    yaml: `${R}listen: [10.1.1.1, { address: 10.1.1.1, port: 179 }]\n`,
    at: '2:20',
    message: /same listener as listen\[0\]/,
  },
  {
    what: 'own routes learned',
    yaml: `${R}kernel: { learn: [{ protocol: bird }] }\nredistribute: kernel\n`,
    at: '2:31',
    message: /this speaker itself/,
  },
  {
    what: 'learned for nobody',
    yaml: `${R}kernel: { learn: [{ protocol: 80 }] }\n`,
    at: '2:11',
    message: /announced to nobody/,
    severity: 'warning',
  },
  {
    what: 'a metric of nothing',
    yaml: `${R}kernel: { metric: 5 }\n`,
    at: '2:11',
    message: /nothing is installed/,
    severity: 'warning',
  },
  {
    what: 'a confederation that is a member of itself',
    yaml: 'router: { asn: 64512, id: 10.99.0.1, confederation: { id: 64512, members: [] } }\n',
    at: '1:59',
    message: /AS 64512 is a member of the confederation/,
  },
  {
    what: 'no router id',
    yaml: 'router: { asn: 64512 }\n',
    at: '1:9',
    message: /10.0.0.9 of this host is taken/,
    severity: 'warning',
  },
];
