// The last messages of a peer as captures want them.

import type { TapedMessage } from '../../bgp/session/message-tape.ts';
import { formatAddress } from '../../lib/ip.ts';
import type { MessageView } from '../api/messages.ts';

export function messageView({ seq, at, sent, connection, octets }: TapedMessage): MessageView {
  const { id, initiator, local, remote } = connection;
  return {
    seq,
    at,
    sent,
    connection: id,
    dialled: initiator === 'local',
    localAddress: formatAddress(local.address),
    localPort: local.port,
    remoteAddress: formatAddress(remote.address),
    remotePort: remote.port,
    octets,
  };
}
