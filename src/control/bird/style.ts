// How replies look. auto is settled when a command comes, for the configuration may change its dialect.

import type { BirdStyle } from '../../config/model.ts';
import type { ConfigurationView } from '../../speaker/api/tables.ts';

export type Style = Exclude<BirdStyle, 'auto'>;

export function styleFor(wanted: BirdStyle, { dialect }: ConfigurationView): Style {
  if (wanted !== 'auto') return wanted;
  return dialect === '1.6' ? 'bird1' : 'bird2';
}
