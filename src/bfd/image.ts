// A BFD session that is Up on its way from one process to the next: what the other side knows of this one and what it
// has said of itself. Plain data, without keys, which are configured.

export interface BfdImage {
  readonly localDiscriminator: number;
  readonly remoteDiscriminator: number;
  readonly remoteDemand: boolean;
  readonly timers: TimersImage;
  /** bfd.XmitAuthSeq, where there is authentication. The other side's will be far ahead when it is heard again. */
  readonly sequence: number | undefined;
  /** Where the last packet came from; 0 = not known. */
  readonly ifindex: number;
}

/** Microseconds. */
export interface TimersImage {
  /** As advertised. */
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  readonly remoteMinRx: number;
  readonly remoteDesiredMinTx: number;
  readonly remoteMultiplier: number;
}
