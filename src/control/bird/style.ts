// How replies look. auto is settled when a command comes, for the configuration may change its dialect.

import type { BirdStyle } from '../../config/model.ts';
import type { ConfigurationView } from '../../speaker/api/tables.ts';

export type Style = Exclude<BirdStyle, 'auto'>;

/** Of what has lines in either generation's form, and none in JSON. */
export function textStyle(style: Style): Exclude<Style, 'json'> {
  return style === 'bird1' ? 'bird1' : 'bird2';
}

export function styleFor(wanted: BirdStyle, { dialect }: ConfigurationView): Style {
  if (wanted !== 'auto') return wanted;
  return dialect === '1.6' ? 'bird1' : 'bird2';
}
