// What a peer is shown of this speaker: its confederation and its link-local addresses.

/** A link-local next hop without a global one: behind ::, alone, or twice. */
export const LINK_LOCAL_FORMATS = ['native', 'single', 'double'] as const;
export type LinkLocalFormat = (typeof LINK_LOCAL_FORMATS)[number];

/** RFC 5065, as one peer sees it. */
export interface ConfederationConfig {
  /** AS Confederation Identifier: the own AS to peers outside. */
  readonly id: number;
  /** Member-AS Number of this speaker: the own AS to peers inside. */
  readonly memberAs: number;
  /** The peer is in the confederation, too; iBGP peers always are. */
  readonly inside: boolean;
}
