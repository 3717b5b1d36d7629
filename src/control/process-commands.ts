// The rows of the command table that are about the daemon itself: its configuration, and its program.

import * as args from './arguments.ts';
import type { UnaryCommand } from './commands.ts';
import type { Nothing, ReloadResult, UpgradeRequest, UpgradeView } from './protocol.ts';

export const reload: UnaryCommand<Nothing, ReloadResult> = {
  name: 'reload',
  method: 'Reload',
  kind: 'unary',
  help: 'read the configuration again and apply the difference',
  args: [],
  run: (api) => api.reload(),
};

export const upgrade: UnaryCommand<UpgradeRequest, UpgradeView> = {
  name: 'upgrade',
  method: 'Upgrade',
  kind: 'unary',
  help: 'let a new version of the program go on, with all sessions and routes',
  args: [
    args.option(
      'program',
      '--program',
      'PATH',
      "the new version's bin/godwit.js (default: where this one is)",
    ),
  ],
  run: (api, { program }) => api.upgrade(program),
};
