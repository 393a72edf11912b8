import { describe, expect, it } from 'vitest';
import { HttpStory } from '../../../src/cli/demo/http-story.ts';
import { ETHERNET_HEADER_LENGTH } from '../../../src/wire/ethernet.ts';
import { Ipv4View } from '../../../src/wire/ipv4.ts';
import { ACK, RST, SYN } from '../../../src/wire/tcp.ts';
import { segmentFrame } from '../../support/gateway-wire.ts';

const CLIENT = 0x0a00_020f;
const SERVER = 0x0a00_0202;
const ASKED = 'GET /page HTTP/1.0\r\nHost: files\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';

describe('the story of a page', () => {
  it('is its connection, its question and its last octet, each once', () => {
    const story = new Story();
    story.client(0, '', SYN);
    story.server(0, '', SYN | ACK);
    story.client(1, ASKED);
    story.server(1, `${ANSWER}12345`);
    story.server(1, `${ANSWER}12345`); // sent again
    story.server(1 + ANSWER.length + 5, '67890');
    story.server(1 + ANSWER.length + 5, '67890');
    expect(story.sentences).toEqual([
      'alice connects to gateway, port 80 (TCP)',
      'alice asks gateway for /page (HTTP)',
      'alice has all 10 octets of /page (HTTP 200)',
    ]);
    expect([...story.pages]).toEqual(['alice /page']);
  });

  it('waits for heads that come in pieces', () => {
    const story = new Story();
    story.client(0, '', SYN);
    story.server(0, '', SYN | ACK);
    for (let i = 0; i < ASKED.length; i += 7) story.client(1 + i, ASKED.slice(i, i + 7));
    const answer = `${ANSWER}1234567890`;
    for (let i = 0; i < answer.length; i += 7) story.server(1 + i, answer.slice(i, i + 7));
    expect(story.sentences).toHaveLength(3);
  });

  it.each([
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'alice has all 0 octets of /page (HTTP 404)'],
    ['HTTP/1.1 200 OK\r\n\r\nhow long?', undefined],
  ])('has no page where the answer is %j', (answer, sentence) => {
    const story = new Story();
    story.client(0, '', SYN);
    story.server(0, '', SYN | ACK);
    story.client(1, ASKED);
    story.server(1, answer);
    expect(story.sentences[2]).toBe(sentence);
    expect(story.pages.size).toBe(0);
  });

  it('ends where the port is closed', () => {
    const story = new Story();
    story.client(0, '', SYN);
    story.server(0, '', RST | ACK);
    expect(story.sentences[1]).toBe('gateway refuses the connection of alice (TCP)');
  });
});

/** A conversation that is heard. Sequence numbers wrap within it. */
class Story {
  readonly sentences: string[] = [];
  readonly #story = new HttpStory();
  readonly #ip = new Ipv4View();

  get pages(): ReadonlySet<string> {
    return this.#story.pages;
  }

  client(at: number, text: string, flags = ACK): void {
    const ends = { source: CLIENT, sourcePort: 40_000, to: SERVER, port: 80 };
    this.#hear(
      segmentFrame({ ...ends, sequence: (0xffff_fff0 + at) >>> 0, flags, payload: octets(text) }),
      'alice',
      'gateway',
    );
  }

  server(at: number, text: string, flags = ACK): void {
    const ends = { source: SERVER, sourcePort: 80, to: CLIENT, port: 40_000 };
    this.#hear(
      segmentFrame({ ...ends, sequence: (0xffff_fffa + at) >>> 0, flags, payload: octets(text) }),
      'gateway',
      'alice',
    );
  }

  #hear(frame: Uint8Array, from: string, to: string): void {
    expect(this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length)).toBeUndefined();
    const sentence = this.#story.hear(frame, this.#ip, from, to);
    if (sentence !== undefined) this.sentences.push(sentence);
  }
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
