// enable, disable, restart and reload of any protocol. A peer is told by its session; what is switched otherwise makes
// the configuration that is in force another one.

import { CEASE } from '../../bgp/wire/error-codes.ts';
import type { ProtocolAction, ProtocolActionResult } from '../api/protocols.ts';
import { CommandError } from '../api.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Reconfiguration } from '../reconfiguration.ts';
import { refreshPeer } from '../refresh.ts';
import type { Speaker } from '../speaker.ts';
import { type DeclaredProtocol, declaredProtocols } from './declared.ts';
import type { ProtocolViews } from './protocol-views.ts';
import { traitsOf } from './traits.ts';

export class ProtocolActions {
  readonly #speaker: Speaker;
  readonly #views: ProtocolViews;
  readonly #reconfiguration: Reconfiguration;

  constructor(speaker: Speaker, views: ProtocolViews, reconfiguration: Reconfiguration) {
    this.#speaker = speaker;
    this.#views = views;
    this.#reconfiguration = reconfiguration;
  }

  /** Throws CommandError for an unknown protocol. */
  act(name: string, action: ProtocolAction): ProtocolActionResult {
    const handle = this.#speaker.registry.find(name);
    if (handle?.name === name) return this.#actOnPeer(handle, action);
    const declared = declaredProtocols(this.#speaker.written).find((each) => each.name === name);
    if (declared === undefined) throw new CommandError('not-found', `there is no protocol ${name}`);
    return this.#actOnOther(declared, action);
  }

  #actOnPeer(handle: PeerHandle, { action, message, direction }: ProtocolAction): ProtocolActionResult {
    const { registry } = this.#speaker;
    const { peer, name } = handle;
    switch (action) {
      case 'enable':
        if (peer.adminUp) return 'already';
        this.#note(name, message);
        peer.start();
        return 'done';
      case 'disable':
        if (!peer.adminUp) return 'already';
        this.#note(name, message);
        registry.stop(handle, message);
        return 'done';
      case 'restart':
        if (!peer.adminUp) return 'disabled';
        this.#note(name, message);
        peer.reset({ subcode: CEASE.administrativeReset, text: message });
        return 'done';
      case 'reload':
        if (!peer.adminUp) return 'disabled';
        if (handle.established === undefined) return 'not-up';
        refreshPeer(registry, handle, direction ?? 'both');
        return 'done';
    }
  }

  #actOnOther(
    declared: DeclaredProtocol,
    { action, message, direction }: ProtocolAction,
  ): ProtocolActionResult {
    const { protocols } = this.#speaker;
    const { name } = declared;
    const isOff = protocols.isOff(declared);
    switch (action) {
      case 'enable':
        if (!isOff) return 'already';
        this.#note(name, message);
        this.#switch(declared, true);
        return 'done';
      case 'disable':
        if (isOff) return 'already';
        this.#note(name, message);
        this.#switch(declared, false);
        return 'done';
      case 'restart':
        if (isOff) return 'disabled';
        this.#note(name, message);
        this.#switch(declared, false);
        this.#switch(declared, true);
        return 'done';
      case 'reload':
        return this.#reload(declared, isOff, direction);
    }
  }

  /** What the operator said last; nothing, where nothing was said. */
  #note(name: string, message: string | undefined): void {
    const { messages } = this.#speaker.protocols;
    if (message === undefined) messages.delete(name);
    else messages.set(name, message);
  }

  #reload(
    declared: DeclaredProtocol,
    isOff: boolean,
    direction: ProtocolAction['direction'],
  ): ProtocolActionResult {
    const { written, rooms, pipes, rpki } = this.#speaker;
    if (isOff) return 'disabled';
    if (this.#views.stateOf(declared) !== 'up') return 'not-up';
    const { cannotReload, reloadsOut } = traitsOf(written);
    if (cannotReload.has(declared.kind) && !(reloadsOut && direction === 'out')) return 'failed';
    if (declared.kind === 'kernel') {
      for (const { kernel } of rooms.values()) kernel?.monitor.requestScan('a kernel protocol is reloaded');
    }
    if (declared.kind === 'rpki') rpki.refresh(declared.name);
    pipes.judgeAgain(declared.name, direction ?? 'both');
    return 'done';
  }

  /** Shown at once, and carried out when its turn comes: a restart has two turns. */
  #switch(declared: DeclaredProtocol, on: boolean): void {
    const { protocols, parts } = this.#speaker;
    const { name } = declared;
    protocols.switch(declared, on);
    this.#reconfiguration.switch(name, on).then(
      () => protocols.restarted(name, on ? 'up' : 'down'),
      (error: unknown) => parts.log.error({ protocol: name, error }, `${name} could not be switched`),
    );
  }
}
