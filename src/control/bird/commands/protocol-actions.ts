// enable, disable, restart and reload: one line a protocol that says what became of it, which is also in the log.

import type { ProtocolAction, ProtocolActionResult } from '../../../speaker/api/protocols.ts';
import { TOKEN } from '../command-reader.ts';
import type { Command, CommandContext } from '../command-table.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';
import { type ProtocolSelector, readProtocols, selectProtocols } from './selectors.ts';

interface Outcome {
  readonly code: number;
  readonly text: string;
}

const ALREADY_DISABLED: Outcome = { code: CODE.alreadyDisabled, text: 'already disabled' };

/** What each result is called; nothing is said of what has none. */
const OUTCOMES: Readonly<Record<ProtocolAction['action'], Partial<Record<ProtocolActionResult, Outcome>>>> = {
  enable: {
    done: { code: CODE.enabled, text: 'enabled' },
    already: { code: CODE.alreadyEnabled, text: 'already enabled' },
  },
  disable: { done: { code: CODE.disabled, text: 'disabled' }, already: ALREADY_DISABLED },
  restart: { done: { code: CODE.restarted, text: 'restarted' }, disabled: ALREADY_DISABLED },
  reload: {
    done: { code: CODE.reloading, text: 'reloading' },
    disabled: ALREADY_DISABLED,
    failed: { code: CODE.reloadFailed, text: 'reload failed' },
  },
};

const LOG_VERBS = {
  enable: 'Enabling',
  disable: 'Disabling',
  restart: 'Restarting',
  reload: 'Reloading',
} as const;

const TARGETS = [TOKEN.known, TOKEN.text, TOKEN.all];

function* actReply(
  context: CommandContext,
  selector: ProtocolSelector,
  action: ProtocolAction,
): Iterable<Line> {
  const { api, logger } = context;
  for (const { name } of selectProtocols(api.bird.protocols(), selector)) {
    const result = api.bird.act(name, action);
    if (result === 'done') logger.info({ protocol: name }, `${LOG_VERBS[action.action]} protocol ${name}`);
    const outcome = OUTCOMES[action.action][result];
    if (outcome !== undefined) yield line(outcome.code, `${name}: ${outcome.text}`);
  }
  yield DONE;
}

function switching(word: 'enable' | 'disable' | 'restart', help: string): Command {
  return {
    words: word,
    usage: '(<protocol> | "<pattern>" | all) ["message"]',
    help,
    changes: true,
    read(reader, syntax) {
      const selector = readProtocols(reader, syntax, TARGETS);
      const message = reader.take('text');
      reader.expectEnd(message === undefined ? [TOKEN.end, TOKEN.text] : [TOKEN.end]);
      const action: ProtocolAction = { action: word, ...(message !== undefined && { message }) };
      return (context) => actReply(context, selector, action);
    },
  };
}

function reloading(direction: 'in' | 'out' | undefined, help: string): Command {
  return {
    words: direction === undefined ? 'reload' : `reload ${direction}`,
    usage: '<protocol> | "<pattern>" | all',
    help,
    changes: true,
    read(reader, syntax) {
      const children = direction === undefined ? ['IN', 'OUT'] : [];
      const selector = readProtocols(reader, syntax, [...TARGETS, ...children]);
      reader.expectEnd();
      const action: ProtocolAction = { action: 'reload', ...(direction !== undefined && { direction }) };
      return (context) => actReply(context, selector, action);
    },
  };
}

export const PROTOCOL_ACTIONS: readonly Command[] = [
  switching('disable', 'switch protocols off'),
  switching('enable', 'switch protocols on'),
  switching('restart', 'switch protocols off and on'),
  reloading(undefined, 'have routes told again, both ways'),
  reloading('in', 'have routes told again by the peer'),
  reloading('out', 'tell the peer all routes again'),
];
