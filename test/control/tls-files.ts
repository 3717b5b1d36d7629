// Certificates for a test, made by openssl in a directory of its own: an authority, a server and a client of it, and a
// client of another one.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly directory: string;
  readonly server: TlsFiles;
  readonly client: TlsFiles;
  /** Its authority is not the server's, which it believes all the same. */
  readonly stranger: TlsFiles;
  /** A new certificate at the same paths. */
  renewServer(): void;
  remove(): void;
}

export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-tls-'));
  const path = (name: string) => join(directory, name);
  const openssl = (...words: string[]): void => {
    const { status, stderr } = spawnSync('openssl', words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${words[0]}: ${stderr}`);
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const authority = (name: string): void =>
    openssl(
      'req',
      '-x509',
      ...curve,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.pem`),
    );
  const certificate = (name: string, issuer: string): TlsFiles => {
    openssl(
      'req',
      ...curve,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.csr`),
    );
    writeFileSync(path('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      path(`${name}.csr`),
      '-extfile',
      path('names'),
      '-CA',
      path(`${issuer}.pem`),
      '-CAkey',
      path(`${issuer}.key`),
      '-CAcreateserial',
      '-out',
      path(`${name}.pem`),
    );
    return { ca: path(`${issuer}.pem`), cert: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  authority('ca');
  authority('other');
  const server = certificate('server', 'ca');
  const client = certificate('client', 'ca');
  const stranger = { ...certificate('stranger', 'other'), ca: path('ca.pem') };
  return {
    directory,
    server,
    client,
    stranger,
    renewServer: () => void certificate('server', 'ca'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
