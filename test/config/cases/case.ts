// The shape of a mistake, and texts to make one in.

export interface Case {
  what: string;
  yaml: string;
  /** line:column */
  at: string;
  message: RegExp;
  hint?: RegExp;
  severity?: 'warning';
}

export const R = 'router: { asn: 64512, id: 10.99.0.1 }\n';
export const CONFEDERATION =
  'router: { asn: 64512, id: 10.99.0.1, confederation: { id: 64500, members: [64513, 64514] } }\n';
export const PEERS = `${R}peers:\n`;
/** Line 3 of what these make is the peer, its keys in one flow mapping. */
export const EBGP = (keys: string): string =>
  `${PEERS}  - { address: 10.1.1.1, asn: 1, import: accept, export: accept, ${keys} }\n`;
export const IBGP = (keys: string): string => `${PEERS}  - { address: 10.1.1.1, asn: 64512, ${keys} }\n`;
