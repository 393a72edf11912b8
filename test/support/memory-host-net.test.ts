import { describe, expect, it } from 'vitest';
import type { HostStreamEvents } from '../../src/base/host-net.ts';
import { Loan } from '../../src/base/loan.ts';
import { MemoryHostNet } from './memory-host-net.ts';

const UNIX = { kind: 'unix', path: '/tmp/some' } as const;

function heard(): { readonly log: string[]; readonly events: HostStreamEvents } {
  const log: string[] = [];
  const events: HostStreamEvents = {
    opened: () => log.push('opened'),
    failed: (why) => log.push(`failed ${why}`),
    received: (bytes) => log.push(`received ${new TextDecoder().decode(bytes)}`),
    ended: () => log.push('ended'),
    drained: () => log.push('drained'),
    closed: (how) => log.push(`closed ${how}`),
  };
  return { log, events };
}

describe('a host network in memory', () => {
  it('lets the test accept, feed, end and reset what the program connects', () => {
    const net = new MemoryHostNet();
    const { log, events } = heard();
    net.connect(UNIX, events);
    net.lastStream.open();
    net.lastStream.feed('abc');
    net.lastStream.end();
    net.lastStream.breakOff('reset');
    expect(log).toEqual(['opened', 'received abc', 'ended', 'closed reset']);
  });

  it('holds what comes while the program has paused the stream, until the turn after it resumes', () => {
    const net = new MemoryHostNet();
    const { log, events } = heard();
    const stream = net.connect(UNIX, events);
    net.lastStream.open();
    stream.pause();
    net.lastStream.feed('abc');
    net.lastStream.end();
    stream.resume();
    expect(log).toEqual(['opened']);
    net.turn();
    expect(log).toEqual(['opened', 'received abc', 'ended']);
  });

  it('retains from the lender what the kernel has no room for, until it has', () => {
    const net = new MemoryHostNet();
    const { log, events } = heard();
    const stream = net.connect(UNIX, events);
    net.lastStream.open();
    net.lastStream.room = 2;
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const loan = new Loan(bytes);
    stream.write(bytes, {
      retain: () => {
        loan.extend();
        return loan;
      },
    });
    let isBack = false;
    loan.reclaim(() => {
      isBack = true;
    });
    expect([stream.queued, isBack]).toEqual([2, false]);
    net.lastStream.take();
    expect([stream.queued, isBack, log.at(-1)]).toEqual([0, true, 'drained']);
    expect([...net.lastStream.written]).toEqual([1, 2, 3, 4]);
  });

  it('closes a stream when both sides have finished', () => {
    const net = new MemoryHostNet();
    const { log, events } = heard();
    const stream = net.connect(UNIX, events);
    net.lastStream.open();
    net.lastStream.end();
    stream.finish();
    expect(log.at(-1)).toBe('ended');
    net.turn();
    expect(log.at(-1)).toBe('closed finished');
  });

  it('plays the clients of a listener', async () => {
    const net = new MemoryHostNet();
    const { log, events } = heard();
    await net.listen(UNIX, (stream) => {
      stream.write(new TextEncoder().encode('hello'));
      stream.resume();
      return events;
    });
    const client = net.listenerAt(UNIX)!.arrive();
    client.feed('abc');
    expect(new TextDecoder().decode(client.written)).toBe('hello');
    net.turn();
    expect(log).toEqual(['received abc']);
  });
});
