// What BIRD takes where a file says nothing; the same in both generations unless said otherwise.

/** Seconds. */
export const DEFAULT_TIMERS = {
  hold: 240,
  keepalivesPerHold: 3,
  startupHold: 240,
  connectDelay: 5,
  connectRetry: 120,
  errorWaitMin: 60,
  errorWaitMax: 300,
  errorForget: 300,
  gracefulRestart: 120,
  gracefulRestartWait: 240,
  longLivedStale: 3600,
} as const;

export const DEFAULT_SCAN_TIME = 60;
export const DEFAULT_LOCAL_PREF = 100;
/** Of what an opaque pipe makes. */
export const DEFAULT_PIPE_PREFERENCE = 70;
/** 2.x; 1.6 sets none. */
export const DEFAULT_METRIC = 32;
export const DEFAULT_DYNAMIC_NAME = 'dynbgp';
