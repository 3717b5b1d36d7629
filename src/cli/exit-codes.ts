// What `godwit` ends with. Scripts rely on these numbers; they are printed by `godwit --help`.

export const EXIT = {
  ok: 0,
  /** The command was understood and failed, or what was asked for does not exist. */
  failed: 1,
  /** The command line makes no sense as it stands. */
  usage: 2,
  /** The daemon cannot be reached. */
  unreachable: 3,
  /** A fault of godwit itself ended the daemon; EX_SOFTWARE of sysexits.h. */
  crashed: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = [
  'Exit codes:',
  '  0  done',
  '  1  the command failed, or what was asked for does not exist',
  '  2  the command line is wrong',
  '  3  the daemon cannot be reached',
  '  70 a fault of godwit itself ended the daemon; a crash report says more',
].join('\n');

/** Ends the command with a sentence on stderr. */
export class ExitError extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode, message: string) {
    super(message);
    this.name = 'ExitError';
    this.code = code;
  }
}
