// Metrics of things that have names, as rows like those of metrics-table.ts.

import type { MetricRow } from './metrics-table.ts';

/** Makes rows of things that have names, labelled with them: a sample each, and none where there is no value. */
export function namedRows<T extends { readonly name: string }>(label: string) {
  return (
    type: MetricRow<readonly T[]>['type'],
    name: string,
    help: string,
    value: (item: T) => number | undefined,
  ): MetricRow<readonly T[]> => ({
    name,
    type,
    help,
    labels: [label],
    samples: (items) =>
      items.flatMap((item) => {
        const found = value(item);
        return found === undefined ? [] : [{ labels: { [label]: item.name }, value: found }];
      }),
  });
}
