import { describe, expect, it } from 'vitest';
import { openHttpDoor } from '../../src/host/http-door.ts';
import type { TcpConnection, TcpEvents, TcpRequest } from '../../src/stack/tcp-layer.ts';
import { waitFor } from '../support/wait-for.ts';

const END = { address: Uint8Array.of(10, 0, 2, 15), port: 40_000 };
const LENDER = { retain: () => expect.fail('nobody keeps what it copies') };

/** A client whose TCP is the test. */
class FakeClient implements TcpRequest, TcpConnection {
  readonly from = END;
  readonly to = END;
  readonly local = END;
  readonly remote = END;
  readonly unacknowledged = 0;
  readonly isFull = false;
  said = '';
  consumedOctets = 0;
  fate: 'refused' | 'finished' | 'reset' | undefined;
  #events: TcpEvents | undefined;

  accept(events: TcpEvents): TcpConnection {
    this.#events = events;
    return this;
  }

  say(text: string): void {
    this.#events?.received(Buffer.from(text), LENDER);
  }

  leave(): void {
    this.#events?.ended();
    this.#events?.closed('finished');
  }

  refuse(): void {
    this.fate = 'refused';
  }

  send(bytes: Uint8Array): void {
    this.said += Buffer.from(bytes).toString();
  }

  consumed(octets: number): void {
    this.consumedOctets += octets;
  }

  finish(): void {
    this.fate = 'finished';
  }

  reset(): void {
    this.fate = 'reset';
  }

  unreachable(): void {}
  ignore(): void {}
  onCancel(): void {}
}

function door(lifetime?: number) {
  const refused: string[] = [];
  const answer = (path: string) => ({ status: 200, type: 'text/plain', text: `this is ${path}` });
  const opened = openHttpDoor({ answer, refused: (reason) => refused.push(reason) }, lifetime);
  const client = () => {
    const come = new FakeClient();
    opened.take(come);
    return come;
  };
  return { opened, refused, client };
}

describe('an HTTP door', () => {
  it('answers one request and finishes the connection', async () => {
    const { client } = door();
    const guest = client();
    guest.say('GET /web/meta');
    guest.say('-data?x=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n');
    await waitFor(() => guest.fate === 'finished');
    expect(guest.said).toMatch(/^HTTP\/1.1 200 OK\r\n.*connection: close\r\n\r\nthis is \/web\/meta-data$/is);
    expect(guest.consumedOctets).toBeGreaterThan(0);
    guest.leave();
  });

  it('does nothing but read', async () => {
    const { client, refused } = door();
    const guest = client();
    guest.say('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
    await waitFor(() => guest.fate === 'finished');
    expect(guest.said).toMatch(/^HTTP\/1.1 405 /);
    expect(refused).toEqual(['http-method']);
    guest.leave();
  });

  it.each(['nonsense\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'x'.repeat(10_000)}`])('turns %j away', async (text) => {
    const { client, refused } = door();
    const guest = client();
    guest.say(text);
    await waitFor(() => guest.fate !== undefined);
    expect(guest.said).toMatch(/^HTTP\/1.1 400 /);
    expect(refused).toEqual(['http-bad-request']);
    guest.leave();
  });

  it('has room for 16, and again when one has gone', () => {
    const { client, refused, opened } = door();
    const guests = Array.from({ length: 17 }, client);
    expect(guests.map(({ fate }) => fate).filter((fate) => fate === 'refused')).toHaveLength(1);
    expect(refused).toEqual(['http-busy']);
    guests[0]!.leave();
    expect(client().fate).toBeUndefined();
    opened.close();
    expect(guests[1]!.fate).toBe('reset');
  });

  it('cuts off who takes too long, whatever it waits for', async () => {
    const { client, refused } = door(5);
    const [silent, unread] = [client(), client()];
    unread.say('GET / HTTP/1.0\r\n\r\n');
    await waitFor(() => silent.fate === 'reset' && unread.fate === 'reset');
    expect(refused).toEqual(['http-slow', 'http-slow']);
  });
});
