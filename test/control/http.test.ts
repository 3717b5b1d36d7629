import { request as httpRequest } from 'node:http';
import { Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BFD_SESSION_METRICS, BFD_TOTALS } from '../../src/control/http/bfd-metrics.ts';
import { createMetrics } from '../../src/control/http/metrics.ts';
import { PEER_METRICS, SPEAKER_METRICS } from '../../src/control/http/metrics-table.ts';
import { type HttpServer, startHttpServer } from '../../src/control/http/server.ts';
import { type LogFields, silentLogger } from '../../src/lib/log.ts';
import { FakeSpeaker, fakePeer, fakeStatus, NOW } from '../support/fake-speaker.ts';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$`);

/** Parses the Prometheus text format strictly: every line must be a comment, blank or a sample of a typed metric. */
function parseMetrics(text: string): Sample[] {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1]!), `second TYPE of ${type[1]}`).toBe(false);
      types.set(type[1]!, type[2]!);
      continue;
    }
    if (line === '' || /^# HELP \S+ \S/.test(line)) continue;
    const sample = SAMPLE.exec(line);
    expect(sample, `not a sample: ${line}`).not.toBeNull();
    const name = sample![1]!;
    expect(
      types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, '')),
      `${name} has no TYPE`,
    ).toBe(true);
    const labels = Object.fromEntries(
      [...(sample![2] ?? '').matchAll(new RegExp(LABEL, 'g'))].map((match) => [match[1]!, match[2]!]),
    );
    samples.push({ name, labels, value: Number(sample!.at(-1)) });
  }
  return samples;
}

const valueIn = (samples: Sample[], name: string, labels: Record<string, string> = {}) =>
  samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;

function scrape(speaker: FakeSpeaker, options: { maxPeerSeries?: number; processMetrics?: boolean } = {}) {
  return createMetrics({
    api: speaker,
    maxPeerSeries: options.maxPeerSeries ?? 100,
    wallTime: () => NOW,
    processMetrics: options.processMetrics ?? false,
  })
    .render()
    .then(parseMetrics);
}

describe('metrics', () => {
  test('say what the views say', async () => {
    const samples = await scrape(new FakeSpeaker());
    const expected: [string, Record<string, string>, number][] = [
      ['godwit_running', {}, 1],
      ['godwit_uptime_seconds', {}, 3 * 3600],
      ['bgp_peers', {}, 3],
      ['bgp_peers_by_state', { state: 'Established' }, 1],
      ['bgp_peers_by_state', { state: 'Connect' }, 0],
      ['bgp_loc_rib_prefixes', { family: 'ipv4-unicast' }, 1100],
      ['bgp_loc_rib_paths', { family: 'ipv6-unicast' }, 1],
      ['bgp_attribute_sets', {}, 12],
      ['bgp_update_groups', {}, 1],
      ['bgp_kernel_routes_desired', {}, 1100],
      ['bgp_kernel_routes_installed', {}, 1090],
      ['bgp_kernel_routes_failed', {}, 2],
      ['godwit_stage_seconds_total', { stage: 'decide' }, 0.0025005],
      ['godwit_stage_longest_seconds', { stage: 'export' }, 0.00005],
      ['bgp_peer_up', { peer: 'tor-a' }, 1],
      ['bgp_peer_up', { peer: 'tor-b' }, 0],
      ['bgp_peer_admin_up', { peer: '10.99.16.7' }, 0],
      ['bgp_peer_damped_routes', { peer: 'tor-a', state: 'suppressed' }, 2],
      ['bgp_peer_damped_routes', { peer: 'tor-a', state: 'used' }, 3],
      ['bgp_peer_damping_overflows_total', { peer: 'tor-a' }, 0],
      ['bgp_peer_state', { peer: 'tor-a' }, 6],
      ['bgp_peer_state', { peer: 'tor-b' }, 3],
      ['bgp_peer_uptime_seconds', { peer: 'tor-a' }, 7200],
      ['bgp_peer_uptime_seconds', { peer: 'tor-b' }, 0],
      ['bgp_peer_established_total', { peer: 'tor-b' }, 3],
      ['bgp_peer_down_total', { peer: 'tor-b' }, 3],
      ['bgp_peer_messages_received_total', { peer: 'tor-a', type: 'update' }, 1200],
      ['bgp_peer_messages_sent_total', { peer: 'tor-a', type: 'route_refresh' }, 1],
      ['bgp_peer_received_bytes_total', { peer: 'tor-a' }, 98_765],
      ['bgp_peer_prefixes_received', { peer: 'tor-a', family: 'ipv4-unicast' }, 1200],
      ['bgp_peer_prefixes_accepted', { peer: 'tor-a', family: 'ipv4-unicast' }, 1180],
      ['bgp_peer_prefixes_best', { peer: 'tor-a', family: 'ipv4-unicast' }, 1100],
      ['bgp_peer_prefixes_advertised', { peer: 'tor-a', family: 'ipv4-unicast' }, 2],
      [
        'bgp_peer_info',
        { peer: 'tor-b', address: 'fd99::2', asn: '64512', type: 'internal', kind: 'static' },
        1,
      ],
      ['bfd_sessions', { state: 'Up' }, 1],
      ['bfd_sessions', { state: 'Init' }, 0],
      ['bfd_session_up', { peer: 'tor-a', address: '10.99.0.2' }, 1],
      ['bfd_session_up', { peer: 'rr', address: 'fd99::2' }, 0],
      ['bfd_session_down_total', { peer: 'tor-b', address: 'fd99::2' }, 1],
      ['bfd_session_detection_seconds', { peer: 'tor-a', address: '10.99.0.2' }, 0.9],
      ['bgp_peer_series_omitted', {}, 0],
    ];
    for (const [name, labels, value] of expected) {
      expect(valueIn(samples, name, labels), `${name} ${JSON.stringify(labels)}`).toBe(value);
    }
    const rows = [...SPEAKER_METRICS, ...PEER_METRICS, ...BFD_TOTALS, ...BFD_SESSION_METRICS].map(
      (row) => row.name,
    );
    for (const name of rows)
      expect(
        samples.some((sample) => sample.name === name),
        name,
      ).toBe(true);
  });

  test('forget a peer that is gone and count up a counter exactly', async () => {
    const speaker = new FakeSpeaker();
    const metrics = createMetrics({
      api: speaker,
      maxPeerSeries: 9,
      wallTime: () => NOW,
      processMetrics: false,
    });
    await metrics.render();
    speaker.peerViews = [fakePeer({ establishedCount: 5 })];
    const samples = parseMetrics(await metrics.render());
    expect(valueIn(samples, 'bgp_peer_established_total', { peer: 'tor-a' })).toBe(5);
    expect(valueIn(samples, 'bgp_peer_up', { peer: 'tor-b' })).toBeUndefined();
  });

  test('have no kernel values where there is no kernel', async () => {
    const speaker = new FakeSpeaker();
    speaker.statusView = fakeStatus({ kernel: undefined });
    const samples = await scrape(speaker);
    expect(samples.filter((sample) => sample.name.startsWith('bgp_kernel'))).toEqual([]);
  });

  test('stay within the bound on series, and say so', async () => {
    const speaker = new FakeSpeaker();
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => fakePeer({ name: `p${n}`, state: 'Idle' }));
    speaker.peerViews = many(4);
    const within = await scrape(speaker, { maxPeerSeries: 4 });
    expect(within.filter((sample) => sample.name === 'bgp_peer_up')).toHaveLength(4);
    speaker.peerViews = many(2000);
    const beyond = await scrape(speaker, { maxPeerSeries: 4 });
    expect(beyond.filter((sample) => 'peer' in sample.labels)).toEqual([]);
    expect(valueIn(beyond, 'bgp_peer_series_omitted')).toBe(1);
    expect(valueIn(beyond, 'bgp_peers_by_state', { state: 'Idle' })).toBe(2000);
    expect(beyond.length).toBeLessThan(80);
  });

  test('escape what names may hold', async () => {
    const speaker = new FakeSpeaker();
    const name = 'a"b\\c\nd{e="f"}';
    speaker.peerViews = [fakePeer({ name })];
    const samples = await scrape(speaker);
    expect(valueIn(samples, 'bgp_peer_up', { peer: 'a\\"b\\\\c\\nd{e=\\"f\\"}' })).toBe(1);
  });

  test('include the process', async () => {
    const samples = await scrape(new FakeSpeaker(), { processMetrics: true });
    expect(valueIn(samples, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(valueIn(samples, 'nodejs_eventloop_lag_p99_seconds')).toBeDefined();
  });
});

describe('the server', () => {
  const errors: LogFields[] = [];
  let speaker: FakeSpeaker;
  let server: HttpServer;
  beforeEach(async () => {
    errors.length = 0;
    speaker = new FakeSpeaker();
    server = await startHttpServer({
      api: speaker,
      address: '127.0.0.1',
      port: 0,
      maxPeerSeries: 100,
      wallTime: () => NOW,
      processMetrics: false,
      logger: { ...silentLogger, error: (fields) => void errors.push(fields) },
    });
  });
  afterEach(() => server.stop());

  function ask(path: string, method = 'GET') {
    return new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: server.port, path, method }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: String(response.headers['content-type']), body }),
        );
      });
      request.on('error', reject).end();
    });
  }

  test('serves metrics', async () => {
    const reply = await ask('/metrics?x=1');
    expect([reply.status, reply.type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(valueIn(parseMetrics(reply.body), 'bgp_peer_up', { peer: 'tor-a' })).toBe(1);
    const both = await Promise.all([ask('/metrics'), ask('/metrics')]);
    expect(both[0]).toEqual(both[1]);
  });

  test('is alive', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
  });

  test.each([
    ['running', fakeStatus(), 200, []],
    ['starting', fakeStatus({ state: 'starting' }), 503, ['The speaker is starting.']],
    ['broken', fakeStatus({ problems: ['Port 179 is taken.'] }), 503, ['Port 179 is taken.']],
    [
      'not scanned',
      fakeStatus({ kernel: { ...fakeStatus().kernel!, lastScanAt: undefined } }),
      503,
      ["The kernel's routes have not been read yet."],
    ],
    [
      'not installing',
      fakeStatus({ kernel: { ...fakeStatus().kernel!, installing: false, lastScanAt: undefined } }),
      200,
      [],
    ],
  ] as const)('is ready or not: %s', async (_, view, status, reasons) => {
    speaker.statusView = view;
    const reply = await ask('/readyz');
    expect([reply.status, reply.type]).toEqual([status, 'application/json; charset=utf-8']);
    expect(JSON.parse(reply.body)).toEqual({ ready: status === 200, reasons });
  });

  test('has an index, and answers nothing else', async () => {
    const index = await ask('/');
    expect(index.body).toBe(
      [
        'godwit 0.1.0 on rr-1',
        '',
        '/metrics   counters and gauges for Prometheus',
        '/status    what godwit is doing, and each peer with why its last session ended',
        '/events    the last 1000 events of the journal',
        '/healthz   200 while the process answers',
        '/readyz    200 when the speaker runs with all that is configured, else 503 and the reasons',
        '',
      ].join('\n'),
    );
    expect(await ask('/etc/passwd')).toMatchObject({ status: 404 });
    expect(await ask('/metrics', 'POST')).toMatchObject({ status: 405 });
    expect(await ask('/healthz', 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test('shows the causes of ends and the journal', async () => {
    const status = JSON.parse((await ask('/status')).body);
    expect(status.peerList[1]).toMatchObject({ name: 'tor-b', lastErrorCode: 'hold-timer' });
    expect(JSON.parse((await ask('/events')).body)).toEqual([
      expect.objectContaining({ code: 'hold-timer' }),
    ]);
    const samples = parseMetrics((await ask('/metrics')).body);
    expect(valueIn(samples, 'godwit_session_ends_total', { cause: 'hold-timer' })).toBe(2);
    expect(valueIn(samples, 'godwit_session_ends_total', { cause: 'wrong-as' })).toBe(0);
    expect(valueIn(samples, 'bgp_peer_last_cause_info', { peer: 'tor-b', cause: 'hold-timer' })).toBe(1);
    expect(valueIn(samples, 'godwit_loop_lag_seconds', { quantile: '0.99' })).toBe(0.0045);
  });

  test('survives a fault of ours', async () => {
    speaker.status = () => {
      throw new Error('boom');
    };
    expect(await ask('/readyz')).toMatchObject({ status: 500 });
    expect(await ask('/metrics')).toMatchObject({ status: 500 });
    expect(errors).toHaveLength(2);
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });

  test('outlives a connection that cannot be accepted', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const warnings: string[] = [];
    const second = await startHttpServer({
      api: speaker,
      address: '127.0.0.1',
      port: 0,
      maxPeerSeries: 1,
      wallTime: () => NOW,
      processMetrics: false,
      logger: { ...silentLogger, warn: (_fields, message) => void warnings.push(message) },
    });
    const [listening] = listen.mock.contexts;
    expect(listening).toBeInstanceOf(Server);
    if (listening instanceof Server) listening.emit('error', new Error('accept EMFILE'));
    expect(warnings).toEqual(['the HTTP server reports an error']);
    listen.mockRestore();
    await second.stop();
  });

  test('says when its address is taken', async () => {
    const second = startHttpServer({
      api: speaker,
      address: '127.0.0.1',
      port: server.port,
      maxPeerSeries: 1,
      wallTime: () => NOW,
      processMetrics: false,
      logger: silentLogger,
    });
    await expect(second).rejects.toThrow(
      /^The HTTP server cannot listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE/,
    );
  });
});
