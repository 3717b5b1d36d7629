// Keys of TCP-AO (RFC 5925), as the model has them.

import type { Secret } from '../model.ts';

export const TCP_AO_ALGORITHMS = [
  'hmac-sha1',
  'hmac-md5',
  'hmac-sha224',
  'hmac-sha256',
  'hmac-sha384',
  'hmac-sha512',
  'cmac-aes128',
] as const;

export interface TcpAoKeyConfig {
  readonly sendId: number;
  readonly receiveId: number;
  readonly algorithm: (typeof TCP_AO_ALGORITHMS)[number];
  readonly secret: Secret;
  /** deprecated: still accepted, never asked for. */
  readonly use: 'preferred' | 'normal' | 'deprecated';
}
