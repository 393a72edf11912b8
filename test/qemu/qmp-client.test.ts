import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QmpClient } from '../../src/qemu/qmp-client.ts';
import { readQmpMessage } from '../../src/qemu/qmp-message.ts';
import { ManualScheduler, settle } from '../support/manual-scheduler.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';

const GREETING = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\r\n';

function connected() {
  const scheduler = new ManualScheduler();
  const net = new MemoryHostNet();
  const events: unknown[] = [];
  const connect = (heard: Parameters<typeof net.connect>[1]) => net.connect({ kind: 'unix', path: 'web.qmp' }, heard);
  const client = new QmpClient(connect, scheduler, (name, data) => events.push([name, data]));
  const stream = net.lastStream;
  stream.open();
  const say = async (text: string) => {
    stream.feed(Buffer.from(text));
    await settle();
  };
  const sent = () =>
    Buffer.from(stream.written)
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { scheduler, net, client, stream, events, say, sent };
}

async function ready() {
  const made = connected();
  await made.say(GREETING);
  await made.say('{"return": {}, "id": 1}\r\n');
  expect(await made.client.ready).toBe('ready');
  return made;
}

describe('a QMP client', () => {
  it('negotiates behind the greeting, not before', async () => {
    const { client, say, sent } = connected();
    await say(GREETING.slice(0, 40));
    expect(sent()).toEqual([]);
    await say(GREETING.slice(40));
    expect(sent()).toEqual([{ execute: 'qmp_capabilities', id: 1 }]);
    await say('{"return": {}, "id": 1}\n');
    expect(await client.ready).toBe('ready');
  });

  it('gives each command its own answer, in whatever order they come', async () => {
    const { client, say, sent } = await ready();
    const uuid = client.execute('query-uuid');
    const link = client.execute('set_link', { name: 'lan', up: false });
    expect(sent().at(-1)).toEqual({ execute: 'set_link', arguments: { name: 'lan', up: false }, id: 3 });
    await say('{"error": {"class": "DeviceNotFound", "desc": "Device \'lan\' not found"}, "id": 3}\n');
    await say('{"return": {"UUID": "x"}, "id": 2}\n');
    expect(await uuid).toEqual({ kind: 'done', value: { UUID: 'x' } });
    expect(await link).toEqual({ kind: 'refused', message: "Device 'lan' not found" });
  });

  it('passes events on', async () => {
    const { events, say } = await ready();
    await say('{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}\n{"event": "STOP"}\n');
    expect(events).toEqual([
      ['SHUTDOWN', { guest: true, reason: 'guest-shutdown' }],
      ['STOP', {}],
    ]);
  });

  it('gives up a command that is not answered in 10 s, and goes on', async () => {
    const { client, scheduler, say } = await ready();
    const first = client.execute('query-status');
    scheduler.advance(9999);
    const second = client.execute('query-status');
    scheduler.advance(1);
    expect(await first).toEqual({ kind: 'timeout' });
    await say('{"return": 1, "id": 2}\n{"return": 2, "id": 3}\n');
    expect(await second).toEqual({ kind: 'done', value: 2 });
    expect(client.counters.toRecord()).toEqual({ 'unknown-answer': 1 });
    expect(scheduler.pending).toBe(0);
  });

  it('is not ready where nobody greets', async () => {
    const { client, scheduler, stream } = connected();
    scheduler.advance(10_000);
    expect(await client.ready).toBe('silent');
    expect(stream.isReset).toBe(true);
  });

  it.each([GREETING, ''])('finds nobody who leaves behind %j', async (said) => {
    const { client, say, stream } = connected();
    await say(said);
    stream.end();
    expect(await client.ready).toBe('absent');
  });

  it('answers what waits, and what comes later, when the connection ends', async () => {
    const { client, stream } = await ready();
    const waiting = client.execute('quit');
    stream.end();
    expect(await waiting).toEqual({ kind: 'closed' });
    expect(await client.execute('quit')).toEqual({ kind: 'closed' });
    await client.closed;
  });

  it('ends a connection whose line never ends', async () => {
    const { client, say } = await ready();
    for (let i = 0; i < 2; i++) await say('x'.repeat(600_000));
    await client.closed;
    expect(client.counters.get('long-line')).toBe(1);
  });

  it('counts what is no message', async () => {
    const { client, say } = await ready();
    await say('hello\n[]\nnull\n{"id": 3}\n{"return": 1, "id": "x"}\n\n');
    expect(client.counters.toRecord()).toEqual({ 'bad-message': 4, 'unknown-answer': 1 });
  });
});

it('a QMP line may be anything', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void readQmpMessage(line)));
  expect(readQmpMessage('{"error": {"desc": {"toString": 1}}, "id": 4}')).toMatchObject({ kind: 'error', id: 4 });
  expect(readQmpMessage('{"error": null, "return": {"__proto__": 1}, "id": 4}')).toMatchObject({
    kind: 'return',
    id: 4,
  });
});
