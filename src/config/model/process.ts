// What the daemon is to the system, as the model has it: whose process it is, and what it does when a secret changes.

export interface ProcessConfig {
  /** Becomes this user, by name or number, with no more capabilities than a router needs; undefined = stays who it is. */
  readonly user: string | undefined;
  /** And this group; that of the user unless given. */
  readonly group: string | undefined;
  /** Seconds between looks at the files of secrets and certificates, to read them anew when they change; 0 = never. */
  readonly watchFiles: number;
}
