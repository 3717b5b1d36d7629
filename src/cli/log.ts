// A daemon's log as the rest of cli/ knows it: logger.ts writes it as godwit does, bird/log.ts as BIRD does.

import type { Config } from '../config/model.ts';
import type { Logger } from '../lib/log.ts';

export interface Log {
  readonly logger: Logger;
  /** Takes over what another configuration says of the log. */
  useConfig(config: Config): void;
  /**
   * Writes out what is still buffered; for the last moment before the process ends. False where nobody reads it: then
   * the end cannot wait for what is being written.
   */
  flush(): boolean;
}
