import { describe, expect, it } from 'vitest';
import { emitIcmpv4, ICMPV4_HEADER_LENGTH, Icmpv4View } from '../../src/wire/icmpv4.ts';
import { packet } from '../support/packets.ts';

const START = 34;

function bound(frame: Uint8Array): Icmpv4View {
  const view = new Icmpv4View();
  expect(view.bind(frame, START, frame.length)).toBeUndefined();
  return view;
}

describe('an ICMP message', () => {
  it.each([
    { name: 'icmp-echo-request', type: 8, code: 0, payload: 56 },
    { name: 'icmp-echo-reply', type: 0, code: 0, payload: 56 },
    { name: 'icmp-echo-request-odd', type: 8, code: 0, payload: 5 },
    { name: 'icmp-port-unreachable', type: 3, code: 3, payload: 31 },
  ])('is read from and written as in $name', ({ name, type, code, payload }) => {
    const frame = packet(name);
    const view = bound(frame);
    expect(view.type).toBe(type);
    expect(view.code).toBe(code);
    expect(view.payloadEnd - view.payloadStart).toBe(payload);

    const out = new Uint8Array(ICMPV4_HEADER_LENGTH);
    const { identifier, sequence } = view;
    expect(emitIcmpv4({ type, code, identifier, sequence }, frame.slice(START + 8), out, 0)).toBe(ICMPV4_HEADER_LENGTH);
    expect(out).toEqual(frame.slice(START, START + 8));
  });

  it('has an identifier and a sequence number when it is an echo', () => {
    const request = bound(packet('icmp-echo-request'));
    const reply = bound(packet('icmp-echo-reply'));
    expect(request.sequence).toBe(1);
    expect(reply.identifier).toBe(request.identifier);
  });

  it('is refused when an octet changed or too few came', () => {
    const frame = packet('icmp-echo-request');
    expect(new Icmpv4View().bind(frame, START, START + 7)).toBe('truncated');
    expect(new Icmpv4View().bindQuoted(frame, START, START + 7)).toBe('truncated');
    frame[60] = frame[60]! ^ 1;
    expect(new Icmpv4View().bind(frame, START, frame.length)).toBe('bad-checksum');
  });
});
