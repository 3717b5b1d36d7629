// A peer while its session is Established: the RIB's view of it, the decoder of its UPDATEs, what arrived and was
// sent of each family. Made at OpenConfirm -> Established, dropped when the session ends.

import { keepsRoutesOverNotifications } from '../bgp/session/cease.ts';
import type { Session } from '../bgp/session/events.ts';
import type { Family } from '../bgp/wire/families.ts';
import { prefixBytes } from '../bgp/wire/nlri.ts';
import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import { type DecodeScratch, UpdateDecoder } from '../bgp/wire/update-decoder.ts';
import type { PeerSettings } from '../config/model.ts';
import type { Clock } from '../lib/clock.ts';
import { formatPrefix } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import type { PeerLimits } from './peer-limits.ts';
import { isSingleHop } from './session-options.ts';
import { type NextHopLinks, UpdateSource } from './update-source.ts';

/** Malformed UPDATEs are logged whole (RFC 7606 §6), but not more often than this; the tape has the last of them all. */
const ISSUE_LOG_INTERVAL_MS = 1000;

export class EstablishedPeer {
  readonly session: Session;
  readonly ribPeer: RibPeer;
  readonly updates: UpdateSource;
  settings: PeerSettings;
  /** Ids of the families that the peer is sending again: BoRR has come, EoRR not yet (RFC 7313 §4). */
  readonly refreshing = new Set<number>();
  /** RFC 8538: a NOTIFICATION alone is no reason to drop its routes. */
  readonly patient: boolean;
  readonly #clock: Clock;
  readonly #log: Logger;
  #malformed: { count: number; last: string } | undefined;
  #lastIssueLog = Number.NEGATIVE_INFINITY;
  #unloggedIssues = 0;

  constructor(
    session: Session,
    ribPeer: RibPeer,
    settings: PeerSettings,
    tools: {
      clock: Clock;
      log: Logger;
      scratch: DecodeScratch;
      zone: string | undefined;
      limits: PeerLimits;
      onEndOfRib: (family: Family) => void;
    },
  ) {
    this.patient = keepsRoutesOverNotifications(session.peer.localOpen, session.peer.remoteOpen);
    this.session = session;
    this.ribPeer = ribPeer;
    this.settings = settings;
    this.#clock = tools.clock;
    this.#log = tools.log;
    const decoder = new UpdateDecoder(
      session.context,
      {
        aigp: settings.aigp,
        acceptAsSets: settings.allowAsSets,
        allowLocalPref: settings.allowLocalPref ?? false,
        confederationPeer: settings.confederation?.inside ?? false,
      },
      tools.scratch,
    );
    this.updates = new UpdateSource({
      session,
      ribPeer,
      decoder,
      limits: tools.limits,
      links: nextHopLinks(session, ribPeer, settings, tools.zone),
      clock: tools.clock,
      onIssues: this.#reportIssues,
      onEndOfRib: tools.onEndOfRib,
    });
  }

  /** UPDATEs of this session that were not as they should be (RFC 7606), and what was wrong with the last of them. */
  get malformed(): { readonly count: number; readonly last: string } | undefined {
    return this.#malformed;
  }

  /** Ids of the families whose End-of-RIB has come (RFC 4724 §2). */
  get endOfRib(): Set<number> {
    return this.updates.endOfRib;
  }

  /** The interface that the session runs over. */
  get link(): string | undefined {
    return this.updates.links.own;
  }

  /** The End-of-RIB of every family has come. */
  get sentAll(): boolean {
    return this.session.context.families.every((family) => this.endOfRib.has(family.id));
  }

  /** RFC 7606 §6: what was wrong, all prefixes, and the whole message, which is also kept on the tape. */
  readonly #reportIssues: UpdateSource['onIssues'] = (update, buffer, start, end) => {
    this.session.keep?.(buffer, start, end);
    const sentence = update.issues.map((issue) => issue.message).join('; ');
    this.#malformed = { count: (this.#malformed?.count ?? 0) + 1, last: sentence };
    const now = this.#clock.now();
    if (now - this.#lastIssueLog < ISSUE_LOG_INTERVAL_MS) {
      this.#unloggedIssues++;
      return;
    }
    this.#log.warn(
      {
        issues: update.issues,
        announced: update.announced.reduce((sum, batch) => sum + batch.count, 0),
        prefixes: update.announced.flatMap(prefixTexts),
        treatAsWithdraw: update.treatAsWithdraw,
        update: Buffer.from(buffer.subarray(start, end)).toString('hex'),
        notLogged: this.#unloggedIssues,
      },
      `${this.ribPeer.name}: malformed UPDATE: ${sentence}`,
    );
    this.#lastIssueLog = now;
    this.#unloggedIssues = 0;
  };
}

function nextHopLinks(
  session: Session,
  ribPeer: RibPeer,
  settings: PeerSettings,
  own: string | undefined,
): NextHopLinks {
  const { onlink = false, localFirst = false } = settings;
  const whole = onlink ? own : undefined;
  // An internal peer may be anywhere, unless it is said to be here or its link-local addresses are preferred.
  const isNear =
    session.zone !== undefined ||
    onlink ||
    localFirst ||
    (ribPeer.source !== 'internal' && isSingleHop(settings));
  const lead = whole !== undefined ? 'onlink' : localFirst ? 'link-local' : 'global';
  const fallback = settings.throughPeer ? session.remoteAddress : undefined;
  return { own, shared: isNear ? own : undefined, whole, lead, fallback };
}

function prefixTexts({ words, lengths, count, family }: NlriBatch): string[] {
  return Array.from({ length: count }, (_, i) =>
    formatPrefix({ bytes: prefixBytes(words, i, family.words), length: lengths[i]! }),
  );
}
