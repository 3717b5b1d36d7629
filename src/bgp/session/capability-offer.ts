// Whether a peer is offered capabilities. RFC 5492 §3: who answers 2/4 is tried without them. A session without has one
// family and two-octet AS numbers for as long as it lasts, so a single refusal is not taken at its word: octets that were
// damaged on the way get the same answer from a peer that bears capabilities well.

import { type DownReason, refusesParameters } from './down-reason.ts';

export class CapabilityOffer {
  /** Whether the next OPEN has them. */
  made = true;
  /** Refused since a session came up with them. */
  #refused = false;

  /**
   * How a connection ended whose OPEN `offered` some. True = the peer has refused them, and is to be called again soon:
   * with the same offer after the first time, else without, for one OPEN.
   */
  isRefused(reason: DownReason, offered: boolean): boolean {
    const refused = offered && refusesParameters(reason);
    this.made = !(refused && this.#refused);
    this.#refused ||= refused;
    return refused;
  }

  /** A session is up. */
  cameUp(): void {
    if (this.made) this.#refused = false;
  }
}
