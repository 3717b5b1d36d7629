// The rows of the command table for routes that flap.

import * as args from './arguments.ts';
import type { ListCommand, UnaryCommand } from './commands.ts';
import type { ClearDampingRequest, Cleared, DampedRequest, DampedRouteView } from './protocol.ts';
import { checkPrefix, peerNameOf } from './requests.ts';

const peerOption = args.option('peer', '--peer', 'PEER', 'only routes of this peer', 'peer');

export const showDamped: ListCommand<DampedRequest, DampedRouteView> = {
  name: 'show damped',
  method: 'ListDampedRoutes',
  kind: 'list',
  batch: 'routes',
  help: 'routes that have flapped, and which of them are not used for it',
  args: [peerOption],
  run: (api, { peer: name }) => api.dampedRoutes(name === undefined ? undefined : peerNameOf(api, name)),
};

export const clearDamping: UnaryCommand<ClearDampingRequest, Cleared> = {
  name: 'clear damping',
  method: 'ClearDamping',
  kind: 'unary',
  help: 'forget how often routes have flapped; those that were not used are used again',
  args: [{ ...args.prefix, required: false, help: 'only this prefix' }, peerOption],
  run(api, { peer: name, prefix }) {
    if (prefix !== undefined) checkPrefix(prefix, 'prefix');
    const routes = api.clearDamping(name === undefined ? undefined : peerNameOf(api, name), prefix);
    return { routes };
  },
};
