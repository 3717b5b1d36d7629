import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SignalHub } from '../../../src/cli/bird/signal-hub.ts';

describe('SignalHub', () => {
  it('passes signals on to everybody, until it is closed', () => {
    const source = new EventEmitter();
    const hub = new SignalHub(source);
    const heard: string[] = [];
    const first = () => heard.push('first');
    hub.on('SIGHUP', first);
    hub.on('SIGHUP', () => heard.push('second'));
    source.emit('SIGHUP');
    hub.removeListener('SIGHUP', first);
    source.emit('SIGHUP');
    expect(heard).toEqual(['first', 'second', 'second']);
    hub.close();
    expect(source.eventNames()).toEqual([]);
  });

  it('stops the others once, and not those that stop already', () => {
    const source = new EventEmitter();
    const hub = new SignalHub(source);
    let stops = 0;
    hub.on('SIGTERM', () => stops++);
    hub.stop();
    hub.stop();
    expect(stops).toBe(1);
    // A person who insists is heard.
    source.emit('SIGTERM');
    expect(stops).toBe(2);
  });
});
