import { join } from 'node:path';
import { expect } from 'vitest';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { hostNetContract } from '../contract/host-net.contract.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

/** Turns of the event loop in which loopback has long delivered. */
const RESTING_TURNS = 30;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

hostNetContract('Node', () => ({
  net: new NodeHostNet(),
  until: waitFor,
  rest: () => turns(RESTING_TURNS),
  unixPath: () => join(temporaryFolder(), 'socket'),
}));

hostNetContract('Node without system calls', () => ({
  net: new NodeHostNet(() => undefined),
  until: waitFor,
  rest: () => turns(RESTING_TURNS),
  unixPath: () => join(temporaryFolder(), 'socket'),
}));

hostNetContract('the fake in memory', () => {
  const net = new MemoryHostNet();
  return {
    net,
    until: async (isTrue) => {
      net.turn();
      expect(isTrue()).toBe(true);
    },
    rest: async () => net.turn(),
    unixPath: () => '/run/socket',
  };
});
