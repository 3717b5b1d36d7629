// What a cache of RPKI data may say to a router, well and badly.

import { Conversation, type ConversationEvents } from '../../src/rpki/conversation.ts';
import {
  aspaOf,
  cacheReset,
  cacheResponse,
  endOfData,
  oldAspaOf,
  prefixPdu,
  reportPdu,
  serialNotify,
} from '../support/rtr-cache.ts';

const VRP = { prefix: [192, 0, 2, 0], bits: 24, maxLength: 24, asn: 65_001 };
const VRP6 = { prefix: [0x20, 1, 0xd, 0xb8, ...Array(12).fill(0)], bits: 32, maxLength: 48, asn: 65_001 };

/** Answers to a query, as a stream. */
export function rtrStreams(): readonly Uint8Array[] {
  return [0, 1, 2].flatMap((version) => {
    const records = [prefixPdu(version, VRP), prefixPdu(version, VRP6), prefixPdu(version, VRP, false)];
    const aspas = version === 2 ? [aspaOf(1, [2, 3]), oldAspaOf(4, [5]), aspaOf(1, [], false)] : [];
    return [
      [
        cacheResponse(version, 7),
        ...records,
        ...aspas,
        endOfData(version, 7, 1),
        serialNotify(version, 7, 2),
      ],
      [serialNotify(version, 7, 2), cacheReset(version), reportPdu(version, 2, 'no data')],
      [reportPdu(version, 4), cacheResponse(version, 8)],
    ].map((pdus) => Uint8Array.from(pdus.flatMap((pdu) => [...pdu])));
  });
}

/** Lets a router hear it in two pieces, once asking for everything and once for changes; how it ended. */
export function hearRtr(input: Uint8Array): string {
  const outcome = ['nothing'];
  for (const origin of [undefined, { version: 2, sessionId: 7, serial: 1 }]) {
    let ended = false;
    const still = (event: string): void => {
      if (ended) throw new Error(`${event} after the end`);
      outcome.push(event);
    };
    const events: ConversationEvents = {
      write: () => undefined,
      onRecords: () => still('records'),
      onAnswer: ({ records }) => still(`${records.count} records`),
      onReset: () => still('reset'),
      onNoData: () => still('no data'),
      onNotify: () => still('notify'),
      onEnd: ({ kind }) => {
        still(kind);
        ended = true;
      },
    };
    const conversation = new Conversation({ first: 2, min: 0 }, events);
    conversation.ask(origin);
    const middle = input.length >> 1;
    for (const part of [input.slice(0, middle), input.slice(middle)]) conversation.receive(part, part.length);
  }
  return outcome.slice(-3).join(', ');
}
