// A live upgrade as it is told to whoever has asked for it.

export interface UpgradeView {
  /** Versions of this program and of the one that goes on. */
  from: string;
  to: string;
  /** How many go on. */
  sessions: number;
}
