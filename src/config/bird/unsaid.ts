// What a file says and godwit's model cannot: collected over all protocols, one warning a construct, so that nothing
// is dropped in silence and a hundred peers of one template make one line.

import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { Span } from '../../policy/source.ts';

const SHOWN_NAMES = 3;

export class Unsaid {
  readonly #bySentence = new Map<string, { span: Span; names: string[]; hint: string | undefined }>();

  /** `construct` of the protocol `name` has no effect. */
  add(construct: string, span: Span, name: string, hint?: string): void {
    this.say(`${construct} has no effect`, span, name, hint);
  }

  /** As add, with a sentence of its own. */
  say(sentence: string, span: Span, name: string, hint?: string): void {
    const entry = this.#bySentence.get(sentence) ?? { span, names: [], hint };
    if (!entry.names.includes(name)) entry.names.push(name);
    this.#bySentence.set(sentence, entry);
  }

  /** Adds every option that is set and not among the `handled` ones; `spanOf` says where it is set. */
  addOptions(
    options: object,
    handled: ReadonlySet<string>,
    spanOf: (key: string) => Span,
    name: string,
  ): void {
    for (const [key, value] of Object.entries(options)) {
      if (value === undefined || handled.has(key)) continue;
      if (Array.isArray(value) && value.length === 0) continue;
      this.add(constructOf(key), spanOf(key), name);
    }
  }

  report(diagnostics: Diagnostics): void {
    for (const [sentence, { span, names, hint }] of this.#bySentence) {
      const shown = names.slice(0, SHOWN_NAMES).join(', ');
      const others = names.length - SHOWN_NAMES;
      const of = others > 0 ? `${shown} and ${others} more` : shown;
      diagnostics.warning(span, `${sentence} (${of})`, hint);
    }
  }
}

/** Option names that are not their words joined. */
const CONSTRUCTS: Readonly<Record<string, string>> = {
  logs: 'log',
  sockets: 'cli',
  timeFormats: 'timeformat',
  mrtdumpFile: 'mrtdump',
  defaultMed: 'default bgp_med',
  defaultLocalPref: 'default bgp_local_pref',
  importKeepFiltered: 'import keep filtered',
  rxBuffer: 'netlink rx buffer',
  peerType: 'neighbor internal|external',
  keys: 'keys',
};

/** `minHoldTime` -> `min hold time` */
export function constructOf(key: string): string {
  return CONSTRUCTS[key] ?? key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
