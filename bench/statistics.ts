// What is made of samples: medians of rounds, percentiles of delays.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Delays in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The smallest sample that `share` (0..1) of all samples do not exceed; samples ascend. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** undefined where there is no sample. */
export function latencyOf(samples: readonly number[]): Latency | undefined {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: sorted.at(-1)!,
  };
}

/**
 * Samples of someone who asks again only after the answer, `interval` later at the earliest, as someone would have seen
 * them who asks every `interval` whatever happens: one answer after ten intervals made nine more questions wait.
 */
export function withOmitted(samples: readonly number[], interval: number): number[] {
  const out: number[] = [];
  for (const sample of samples) {
    for (let delay = sample; ; delay -= interval) {
      out.push(delay);
      if (delay <= interval) break;
    }
  }
  return out;
}
