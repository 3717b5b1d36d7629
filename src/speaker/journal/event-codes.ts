// Events that are no end of a session (those are the causes of bgp/session/cause-table.ts): one row a code.

import type { EventKind, EventSeverity } from '../api/journal.ts';

export interface EventRow {
  readonly kind: EventKind;
  readonly severity: EventSeverity;
  readonly advice?: string;
}

export const EVENT_CODES = {
  'session-up': { kind: 'session', severity: 'info' },
  started: { kind: 'daemon', severity: 'info' },
  upgraded: { kind: 'daemon', severity: 'info' },
  stopping: { kind: 'daemon', severity: 'info' },
  'configuration-applied': { kind: 'configuration', severity: 'info' },
  'configuration-refused': {
    kind: 'configuration',
    severity: 'error',
    advice: 'godwit check FILE shows what is wrong; what was in force still is',
  },
  'configuration-undone': { kind: 'configuration', severity: 'warning' },
  'kernel-problem': {
    kind: 'kernel',
    severity: 'error',
    advice: 'godwit status and godwit show kernel say which routes are concerned',
  },
  'kernel-notice': { kind: 'kernel', severity: 'warning' },
  'listener-problem': {
    kind: 'daemon',
    severity: 'error',
    advice: 'something else may use the port, or the address may be missing; it is tried again',
  },
  limit: {
    kind: 'limit',
    severity: 'warning',
    advice: 'find out why there are so many routes; raise the limit only if they are right',
  },
  'restart-began': { kind: 'restart', severity: 'info' },
  'restart-over': { kind: 'restart', severity: 'info' },
  'stale-routes-gone': {
    kind: 'restart',
    severity: 'warning',
    advice: 'find out why the peer is not back; a longer restart time of its own keeps its routes for longer',
  },
  'drain-began': { kind: 'restart', severity: 'info' },
  'drain-over': { kind: 'restart', severity: 'info' },
  'bfd-up': { kind: 'bfd', severity: 'info' },
  'bfd-session-down': { kind: 'bfd', severity: 'warning' },
  'bfd-unavailable': { kind: 'bfd', severity: 'error' },
  'rpki-cache-synced': { kind: 'rpki', severity: 'info' },
  'rpki-cache-lost': {
    kind: 'rpki',
    severity: 'warning',
    advice: 'godwit show rpki says until when its records count, and which caches stand in for it',
  },
  'rpki-data-gone': {
    kind: 'rpki',
    severity: 'warning',
    advice: 'without another cache that covers them, routes are no longer valid or invalid but unknown',
  },
  'loop-stuck': {
    kind: 'loop',
    severity: 'warning',
    advice: 'godwit status shows where time goes; the machine may be short of CPU or memory',
  },
  'journal-dropped': {
    kind: 'daemon',
    severity: 'warning',
    advice: 'make room on the disk of the journal, or correct its path',
  },
} as const satisfies Record<string, EventRow>;

export type EventCode = keyof typeof EVENT_CODES;
