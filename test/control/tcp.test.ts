// gRPC over TCP with certificates that openssl makes: who has none that is believed is not heard, and renewed ones are
// taken over while it runs.

import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { COMMANDS } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import { startTcpControl } from '../../src/control/grpc/tcp-server.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { fakeTerminal } from '../support/control-lab.ts';
import { FakeSpeaker } from '../support/fake-speaker.ts';
import { type Certificates, hasOpenssl, makeCertificates, type TlsFiles } from './tls-files.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(tls: TlsFiles | undefined, restricted = false) {
  const warnings: string[] = [];
  const reasons: unknown[] = [];
  const remotes: unknown[] = [];
  const warn: Logger['warn'] = (fields, message) => {
    warnings.push(message);
    reasons.push(fields['reason']);
    remotes.push(fields['remote']);
  };
  const logger: Logger = { ...silentLogger, warn };
  const config = { address: '127.0.0.1', port: 0, tls, restricted };
  const control = await startTcpControl({ api: new FakeSpeaker(), config, logger });
  cleanups.push(() => control.stop());
  return { control, warnings, reasons, remotes, server: `127.0.0.1:${control.port}` };
}

function contentsOf({ ca, cert, key }: TlsFiles) {
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
}

async function status(server: string, tls: TlsFiles | undefined): Promise<object> {
  const client = await connectControl({ server, tls });
  try {
    return await client.unary(COMMANDS.status, {});
  } finally {
    client.close();
  }
}

describe('in the clear', () => {
  test('serves, and only looks where restricted', async () => {
    const { server } = await start(undefined);
    expect(await status(server, undefined)).toMatchObject({ version: expect.any(String) });
    const looking = await start(undefined, true);
    const client = await connectControl({ server: looking.server, tls: undefined });
    cleanups.push(() => client.close());
    await expect(client.unary(COMMANDS.reload, {})).rejects.toThrow('not for you here');
  });

  test('says where it cannot listen, and where nobody does', async () => {
    const { control, server } = await start(undefined);
    const config = { address: '127.0.0.1', port: control.port, tls: undefined, restricted: false };
    await expect(startTcpControl({ api: new FakeSpeaker(), config, logger: silentLogger })).rejects.toThrow(
      /cannot listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE/,
    );
    await control.stop();
    await expect(status(server, undefined)).rejects.toThrow(`The daemon does not answer on ${server}`);
    await expect(status('nowhere', undefined)).rejects.toThrow('nowhere is not HOST:PORT');
  });
});

describe.skipIf(!hasOpenssl())('with certificates on both sides', () => {
  let files: Certificates;
  beforeAll(() => {
    files = makeCertificates();
  });
  afterAll(() => files.remove());

  test('serves who has one', async () => {
    const { server, control, warnings } = await start(files.server);
    expect(await status(server, files.client)).toMatchObject({ version: expect.any(String) });
    await control.stop();
    expect(warnings).toEqual([]);
  });

  test('says whose certificate is not believed, to both sides', async () => {
    const { server, reasons, remotes } = await start(files.server);
    await expect(status(server, files.stranger)).rejects.toThrow(
      `The daemon does not answer on ${server}: it does not believe the certificate of --tls-cert, or is no godwit`,
    );
    expect(remotes).toEqual(['127.0.0.1']);
    expect(reasons).toEqual([expect.stringMatching(/^(DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_)/)]);
  });

  test.each([
    ['a certificate of another authority', () => files.stranger],
    ['plain text', () => undefined],
  ])('refuses %s', async (_name, tls) => {
    const { server, warnings } = await start(files.server);
    await expect(status(server, tls())).rejects.toThrow(/daemon/);
    expect(warnings).toContain('a control connection is refused: no TLS, or no certificate that is believed');
  });

  test('names TLS to who speaks without it, and a key that is of another certificate', async () => {
    const { server } = await start(files.server);
    await expect(status(server, undefined)).rejects.toThrow('wants TLS (--tls-ca, --tls-cert, --tls-key)');
    const mixed = { ...files.client, key: files.server.key };
    await expect(status(server, mixed)).rejects.toThrow(
      `The key ${mixed.key} does not belong to the certificate ${mixed.cert}.`,
    );
  });

  test('refuses who shows no certificate, and old TLS', async () => {
    const { control, warnings, reasons } = await start(files.server);
    const knock = (options: object) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({
          host: '127.0.0.1',
          port: control.port,
          rejectUnauthorized: false,
          ...options,
        });
        socket.on('error', (error) => resolve(error.message));
        socket.on('data', () => resolve('heard'));
        socket.on('close', () => resolve('closed'));
      });
    expect(await knock({})).not.toBe('heard');
    expect(await knock({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ...contentsOf(files.client) })).not.toBe(
      'heard',
    );
    expect(warnings).toHaveLength(2);
    expect(reasons[0]).toBe('UNABLE_TO_GET_ISSUER_CERT');
  });

  test('a client that says nothing does not hold a stop', async () => {
    const { control, reasons } = await start(files.server);
    const client = connect({ host: '127.0.0.1', port: control.port });
    const ended = new Promise((resolve) => client.on('close', resolve).on('error', () => {}));
    await new Promise((resolve) => client.on('connect', resolve));
    // Served after it: so the first one has been accepted.
    await status(`127.0.0.1:${control.port}`, files.client);
    await control.stop();
    await ended;
    // What would have ended it else.
    expect(reasons).not.toContain('TLS handshake timeout');
  });

  test('a client believes no other server', async () => {
    const { server } = await start(files.server);
    const wrong = { ...files.client, ca: join(files.directory, 'other.pem') };
    await expect(status(server, wrong)).rejects.toThrow(/does not answer on .*certificate/);
  });

  test('takes over renewed files, and keeps the old ones where new ones are wrong', async () => {
    const { control, server } = await start(files.server);
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls(
          { host: '127.0.0.1', port: control.port, ...contentsOf(files.client) },
          () => {
            resolve(socket.getPeerCertificate().serialNumber);
            socket.destroy();
          },
        );
        socket.on('error', reject);
      });
    const first = await serial();
    files.renewServer();
    expect(await serial()).toBe(first);
    control.useTls(files.server);
    const second = await serial();
    expect(second).not.toBe(first);
    const bad = join(files.directory, 'bad.pem');
    writeFileSync(bad, 'THIS-IS-A-SECRET');
    expect(() => control.useTls({ ...files.server, key: bad })).toThrow(/do not go together/);
    expect(() => control.useTls({ ...files.server, key: bad })).not.toThrow(/THIS-IS-A-SECRET/);
    expect(() => control.useTls({ ...files.server, cert: '/no/such' })).toThrow(
      '/no/such cannot be read: ENOENT',
    );
    expect(await serial()).toBe(second);
    expect(await status(server, files.client)).toMatchObject({ version: expect.any(String) });
  });

  test('the command line calls with --server and --tls-*', async () => {
    const { server } = await start(files.server);
    const { ca, cert, key } = files.client;
    const tls = ['--tls-ca', ca, '--tls-cert', cert, '--tls-key', key];
    const terminal = fakeTerminal();
    expect([await main(['status', '--server', server, ...tls], terminal), terminal.err]).toEqual([0, '']);
    expect(terminal.out).toContain('64512');
    const asked = fakeTerminal({ env: { GODWIT_SERVER: server } });
    expect([await main(['status', ...tls], asked), asked.out]).toEqual([0, terminal.out]);
    const half = fakeTerminal();
    expect(await main(['status', '--server', server, '--tls-ca', ca], half)).not.toBe(0);
    expect(half.err).toContain('TLS needs all three');
    const useless = fakeTerminal();
    expect(await main(['status', '--tls-ca', ca], useless)).not.toBe(0);
    expect(useless.err).toContain('TLS is for --server');
  });
});
