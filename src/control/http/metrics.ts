// What /metrics shows: the rows of metrics-table.ts filled from the speaker's views at the moment of the scrape.
// Nothing is counted here, so nothing can drift. Series of one peer are left out above a number of peers, because
// a reflector with thousands of clients would otherwise fill its own scrapes; bgp_peer_series_omitted says so.

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { SpeakerApi } from '../../speaker/api.ts';
import { BFD_SESSION_METRICS, BFD_TOTALS } from './bfd-metrics.ts';
import { BMP_METRICS } from './bmp-metrics.ts';
import { type MetricRow, PEER_METRICS, type Sample, SPEAKER_METRICS } from './metrics-table.ts';
import { RPKI_METRICS } from './rpki-metrics.ts';

export interface MetricsOptions {
  readonly api: SpeakerApi;
  /** Most peers that have series of their own. */
  readonly maxPeerSeries: number;
  /** Milliseconds since the Unix epoch. */
  wallTime(): number;
  /** Metrics of the Node.js process too: CPU, memory, garbage collection, event loop. */
  readonly processMetrics: boolean;
}

export interface Metrics {
  readonly contentType: string;
  /** The text of one scrape. */
  render(): Promise<string>;
}

interface Family {
  set(samples: Iterable<Sample>): void;
}

/** Makes a registry of its own; none of prom-client's global state is used. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const speakerFamilies = SPEAKER_METRICS.map((row) => ({ row, family: register(registry, row) }));
  const peerFamilies = PEER_METRICS.map((row) => ({ row, family: register(registry, row) }));
  const bfdTotals = BFD_TOTALS.map((row) => ({ row, family: register(registry, row) }));
  const bfdFamilies = BFD_SESSION_METRICS.map((row) => ({ row, family: register(registry, row) }));
  const rpkiFamilies = RPKI_METRICS.map((row) => ({ row, family: register(registry, row) }));
  const bmpFamilies = BMP_METRICS.map((row) => ({ row, family: register(registry, row) }));
  const omitted = new Gauge({
    name: 'bgp_peer_series_omitted',
    help: '1 while series of single peers are left out because there are more peers than http.maxPeerSeries',
    registers: [registry],
  });

  const collect = () => {
    const now = options.wallTime();
    const status = options.api.status();
    const peers = options.api.peers();
    for (const { row, family } of speakerFamilies) family.set(row.samples({ status, peers, now }));
    const tooMany = peers.length > options.maxPeerSeries;
    omitted.set(tooMany ? 1 : 0);
    const sessions = options.api.bfdSessions();
    for (const { row, family } of bfdTotals) family.set(row.samples(sessions));
    for (const { row, family } of bfdFamilies) family.set(row.samples(tooMany ? [] : sessions));
    const caches = options.api.rpkiCaches();
    for (const { row, family } of rpkiFamilies) family.set(row.samples(caches));
    const stations = options.api.bmpStations();
    for (const { row, family } of bmpFamilies) family.set(row.samples(stations));
    const shown = tooMany ? [] : peers;
    for (const { row, family } of peerFamilies) {
      family.set(shown.flatMap((peer) => row.samples({ peer, now })));
    }
  };
  return {
    contentType: registry.contentType,
    async render() {
      collect();
      // prom-client writes a mean of no samples as `Nan`, which not every parser takes.
      return (await registry.metrics()).replace(/ Nan$/gm, ' NaN');
    },
  };
}

function register(registry: Registry, row: MetricRow<never>): Family {
  const configuration = {
    name: row.name,
    help: row.help,
    labelNames: row.labels,
    registers: [registry],
  };
  if (row.type === 'gauge') {
    const gauge = new Gauge(configuration);
    return {
      set(samples) {
        gauge.reset();
        // A gauge without labels comes back as 0 from a reset, which is not the same as none.
        if (row.labels.length === 0) gauge.remove();
        for (const { labels, value } of samples) gauge.set(labels, value);
      },
    };
  }
  const counter = new Counter(configuration);
  return {
    set(samples) {
      counter.reset();
      for (const { labels, value } of samples) counter.inc(labels, value);
    },
  };
}
