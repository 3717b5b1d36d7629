// `godwit peer NAME capture`: the last messages of a peer as a capture file for tshark and Wireshark, or one line each.
// With --follow every message is recorded from now on, until interrupted.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { COMMANDS } from '../control/commands.ts';
import type { MessageView, WatchMessagesRequest } from '../control/protocol.ts';
import { errorText } from '../lib/error-text.ts';
import { parseAddress } from '../lib/ip.ts';
import { PcapWriter, type TcpEnd } from '../lib/pcap.ts';
import type { Shell } from './actions.ts';
import { EXIT, ExitError } from './exit-codes.ts';
import { renderMessage } from './render/messages.ts';
import { lookOf, safeText } from './render/style.ts';

/** The word for it on the command line; the daemon knows nothing of files. */
export const CAPTURE = 'capture';

export const CAPTURE_OPTIONS = [
  ['-o, --output <FILE>', 'capture: write a pcap file'],
  ['--follow', 'capture: record every message from now on, until interrupted'],
] as const;

export async function capture(shell: Shell, request: WatchMessagesRequest): Promise<void> {
  const { client, terminal, extras, json } = shell;
  const { name, includeCurrent = true } = request;
  const messages =
    extras['follow'] === true
      ? client.watch(COMMANDS.watchMessages, { name, includeCurrent }, terminal.interrupted)
      : client.list(COMMANDS.showMessages, { name });
  const { output } = extras;
  if (typeof output === 'string') {
    const count = await writePcap(output, messages);
    if (!json) await terminal.write(`${count} messages of ${safeText(name)} are in ${safeText(output)}.\n`);
    return;
  }
  const look = lookOf(terminal);
  for await (const message of messages) {
    await terminal.write(json ? `${messageJson(message)}\n` : renderMessage(message, look));
  }
}

/** Octets as hexadecimal digits. */
function messageJson({ octets, ...rest }: MessageView): string {
  return JSON.stringify({ ...rest, octets: Buffer.from(octets).toString('hex') });
}

async function writePcap(path: string, messages: AsyncIterable<MessageView>): Promise<number> {
  const file = createWriteStream(path, { mode: 0o640 });
  const failed = once(file, 'error').then(([error]: unknown[]) => {
    throw new ExitError(EXIT.failed, `${path} cannot be written: ${errorText(error)}`);
  });
  const write = (octets: Uint8Array): Promise<unknown> =>
    Promise.race([failed, new Promise<void>((resolve) => void file.write(octets, () => resolve()))]);
  const writer = new PcapWriter();
  await write(writer.header());
  let count = 0;
  for await (const message of messages) {
    const { dialled, sent, octets, at } = message;
    await write(writer.message(conversationOf(message), sent === dialled, octets, at));
    count++;
  }
  await Promise.race([failed, new Promise<void>((resolve) => file.end(() => resolve()))]);
  // Nobody waits for it any more.
  failed.catch(() => {});
  return count;
}

/** Who speaks with whom. */
export function conversationOf(message: MessageView) {
  const local = endOf(message.localAddress, message.localPort);
  const remote = endOf(message.remoteAddress, message.remotePort);
  const [client, server] = message.dialled ? [local, remote] : [remote, local];
  return { id: message.connection, client, server };
}

function endOf(text: string, port: number): TcpEnd {
  const address = parseAddress(text)?.bytes;
  if (address === undefined) throw new ExitError(EXIT.failed, `the daemon names no address: ${text}`);
  return { address, port };
}
