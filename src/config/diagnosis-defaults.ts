// What the journal, the watchdog and crash reports do where nothing is configured, in every front-end.

import type { DiagnosisConfig } from './model.ts';

export const DIAGNOSIS_DEFAULTS: DiagnosisConfig = {
  journal: { file: undefined, maxSize: 10_485_760, events: 4096 },
  watchdog: { warning: 5, timeout: 0 },
  crash: { directory: undefined, sessions: 'silent' },
};
