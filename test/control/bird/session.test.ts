import { describe, expect, it } from 'vitest';
import type { ReplyPumpOptions } from '../../../src/control/bird/reply-pump.ts';
import { ControlSession, type Wire } from '../../../src/control/bird/session.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../../src/lib/log.ts';
import type { TableRoute } from '../../../src/speaker/api/tables.ts';
import { CommandError } from '../../../src/speaker/api.ts';
import { FakeSpeaker } from '../../support/fake-speaker.ts';
import { Talk } from './talk.ts';

function talk(options: { restricted?: boolean; logger?: Logger } = {}): Talk & { speaker: FakeSpeaker } {
  const speaker = new FakeSpeaker();
  const made = new Talk({ api: speaker, style: 'bird2', clock: systemClock, ...options });
  return Object.assign(made, { speaker });
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
};

function route(net: string, more: Partial<TableRoute> = {}): TableRoute {
  return {
    table: 'master4',
    net,
    protocol: 'static1',
    origin: 'static',
    destination: 'blackhole',
    hops: [],
    from: undefined,
    since: 0,
    preference: 200,
    primary: true,
    kernelProblem: false,
    igpMetric: undefined,
    stale: false,
    suppressed: false,
    bgp: undefined,
    kernel: [],
    ...more,
  };
}

describe('a session', () => {
  it('greets, and answers several commands of one write in order', async () => {
    const { session, take } = bound(talk());
    expect(take()).toEqual(['0001 BIRD 2.0.12 ready.']);
    session.receive(Buffer.from('restrict\nbogus\nconfigure confirm\necho all\n'));
    await settled();
    expect(take()).toEqual([
      '0016 Access restricted',
      '9001 syntax error, unexpected CF_SYM_UNDEFINED',
      '8007 Access denied',
      '0000 ',
    ]);
  });

  it('answers the last command of a client that has said all it has to say, then closes', async () => {
    const t = talk();
    t.session.receive(Buffer.from('configure confirm\nconfigure confirm'));
    t.session.endOfInput();
    await settled();
    expect(t.take().slice(1)).toEqual(['0019 Nothing to do', '0019 Nothing to do']);
    expect(t.ended).toBe(true);
  });

  it('answers what came before too long a command, says so and closes', async () => {
    const t = talk();
    t.session.receive(Buffer.from(`configure confirm\n${'x'.repeat(5000)}`));
    t.session.receive(Buffer.from('\nconfigure confirm\n'));
    await settled();
    expect(t.take().slice(1)).toEqual(['0019 Nothing to do', '9000 Command too long: at most 4096 octets']);
    expect(t.ended).toBe(true);
  });

  it('leaves at once when asked, whatever else was sent', async () => {
    const t = talk();
    t.session.receive(Buffer.from('quit\nconfigure confirm\n'));
    await settled();
    expect(t.take().slice(1)).toEqual(['0000 ']);
    expect(t.ended).toBe(true);
  });

  it('changes nothing where it is restricted, and looks at everything', async () => {
    const t = talk({ restricted: true });
    t.speaker.bird.evaluation = { value: '3' };
    const denied = [
      'configure',
      'configure undo',
      'configure confirm',
      'configure timeout 5',
      'enable all',
      'disable all',
      'restart all',
      'reload all',
      'reload in all',
      'debug all off',
      'mrtdump all off',
      'dump resources',
      'mrt dump table "x" to "/tmp/x"',
      'graceful restart',
      'down',
      'configure check "/etc/shadow"',
    ];
    for (const command of denied) expect(await t.ask(command), command).toEqual(['8007 Access denied']);
    expect(t.speaker.bird.calls).toEqual([]);
    expect(t.shutdowns).toBe(0);
    expect(await t.ask('eval 1 + 2')).toEqual(['0023 3']);
    expect(await t.ask('echo all')).toEqual(['0000 ']);
    expect((await t.ask('show status')).at(-1)).toBe('0013 Daemon is up and running');
  });

  it('ends the daemon when told to', async () => {
    const t = talk();
    expect(await t.ask('down')).toEqual(['0007 Shutdown requested']);
    expect(await t.ask('graceful restart')).toEqual(['0025 Graceful restart requested']);
    expect(t.shutdowns).toBe(2);
  });

  it('shows log lines of the classes that were asked for', async () => {
    const t = talk();
    t.session.echo('info', 'before');
    await t.ask('echo { error, warning }');
    t.session.echo('info', 'not this');
    t.session.echo('warning', 'this\none');
    t.session.echo('error', 'and this');
    expect(t.take()).toEqual(['+this?one', '+and this']);
    await t.ask('echo off');
    t.session.echo('error', 'no more');
    expect(t.take()).toEqual([]);
  });

  it('ends a reply that cannot be made with an error, and goes on', async () => {
    const errors: string[] = [];
    const t = talk({ logger: { ...silentLogger, error: (_fields, message) => void errors.push(message) } });
    t.speaker.bird.answer = () => [
      {
        table: 'master4',
        named: true,
        *routes() {
          yield route('10.0.0.0/8');
          throw new Error('the table is on fire');
        },
        *skim() {},
        count: () => ({ table: 'master4', shown: 0, routes: 0, networks: 0 }),
      },
    ];
    const reply = await t.ask('show route');
    expect(reply.slice(0, 1)).toEqual(['1007-Table master4:']);
    expect(reply.at(-1)).toBe('9001 The command failed unexpectedly: the table is on fire');
    expect(errors).toEqual(['a command failed unexpectedly']);
    t.speaker.bird.answer = () => {
      throw new CommandError('invalid', 'no such thing');
    };
    expect(await t.ask('show route')).toEqual(['9001 no such thing']);
    expect(errors).toHaveLength(1);
    expect(await t.ask('configure confirm')).toEqual(['0019 Nothing to do']);
  });
});

/** Methods that can be taken apart from their object. */
function bound(t: Talk): { session: ControlSession; take: () => string[] } {
  return { session: t.session, take: () => t.take() };
}

/** A client that reads when the test wants it to. */
class SlowWire implements Wire {
  text = '';
  waiting = 0;
  reading = true;
  ended = false;
  full = false;
  #resume: (() => void) | undefined;

  write(text: string): boolean {
    this.text += text;
    this.waiting += text.length;
    return !this.full;
  }

  onceDrained(resume: () => void): void {
    this.#resume = resume;
  }

  drain(): void {
    this.waiting = 0;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  pause(): void {
    this.reading = false;
  }

  resume(): void {
    this.reading = true;
  }

  end(): void {
    this.ended = true;
  }
}

describe('a slow reader', () => {
  const ROUTES = 10_000;
  const BATCH = 1000;

  function slowSession(pump: Partial<ReplyPumpOptions> = {}) {
    const speaker = new FakeSpeaker();
    const wire = new SlowWire();
    const made = { routes: 0, closed: false };
    speaker.bird.answer = () => [
      {
        table: 'master4',
        named: true,
        *routes() {
          try {
            for (; made.routes < ROUTES; made.routes++) yield route(`10.${made.routes}/32`);
          } finally {
            made.closed = true;
          }
        },
        *skim() {},
        count: () => ({ table: 'master4', shown: 0, routes: 0, networks: 0 }),
      },
    ];
    const session = new ControlSession(wire, {
      context: (state) => ({
        api: speaker,
        style: 'bird2',
        syntax: '2.x',
        version: '2',
        clock: systemClock,
        logger: silentLogger,
        session: state,
        shutdown: () => {},
      }),
      restricted: false,
      pump: { now: () => 0, defer: (fn) => void setImmediate(fn), sliceMs: 5, batchSize: BATCH, ...pump },
    });
    return { session, wire, made };
  }

  it('gets the table as fast as it reads: nothing is made ahead, nothing more is read', async () => {
    const { session, wire, made } = slowSession();
    wire.full = true;
    session.receive(Buffer.from('show route\nconfigure confirm\n'));
    let most = 0;
    let drains = 0;
    while (!wire.text.includes('0000 \n')) {
      await settled();
      if (!wire.text.includes('0000 \n')) expect(wire.reading).toBe(false);
      most = Math.max(most, wire.waiting);
      wire.drain();
      drains++;
    }
    await settled();
    expect(most).toBeLessThan(2 * BATCH);
    expect(drains).toBeGreaterThan(ROUTES / BATCH);
    expect(made.routes).toBe(ROUTES);
    expect(wire.text.endsWith('0019 Nothing to do\n')).toBe(true);
    expect(wire.reading).toBe(true);
  });

  it('that goes away ends the walk', async () => {
    const { session, wire, made } = slowSession();
    wire.full = true;
    session.receive(Buffer.from('show route\n'));
    await settled();
    session.close();
    wire.drain();
    await settled();
    expect(made.closed).toBe(true);
    expect(made.routes).toBeLessThan(ROUTES);
  });

  it('is spared log lines while much waits for it', async () => {
    const { session, wire } = slowSession();
    session.receive(Buffer.from('echo all\n'));
    await settled();
    for (let i = 0; i < 10_000; i++) session.echo('info', 'x'.repeat(100));
    expect(wire.waiting).toBeLessThan(70_000);
  });

  it('shares the loop: a slice is as long as it may be', async () => {
    let now = 0;
    let turns = 0;
    const { session, wire, made } = slowSession({
      // Every look at the clock costs a millisecond.
      now: () => now++,
      defer: (fn) => {
        turns++;
        setImmediate(fn);
      },
      batchSize: Number.MAX_SAFE_INTEGER,
    });
    session.receive(Buffer.from('show route\n'));
    while (!wire.text.includes('0000 \n')) await settled();
    expect(made.routes).toBe(ROUTES);
    expect(turns).toBeGreaterThan(ROUTES / 5);
  });
});
