import { writeFileSync } from 'node:fs';
import type { Workbench } from './workbench.ts';

/**
 * A program that is called as QEMU is. It says its words, one a line behind `word `, and `ready`; it takes one command a line from its
 * standard input: `exit N`, `kill SIGNAL` (itself), `frame` (sends one to each unix socket among its words, then says `sent`). Of signals it
 * says the name and goes on.
 */
export function fakeQemu(bench: Workbench): string {
  const path = bench.path('qemu-system-x86_64');
  writeFileSync(path, `#!${process.execPath}\n${PROGRAM}`, { mode: 0o755 });
  return path;
}

const PROGRAM = `
const { connect } = require('node:net');
const words = process.argv.slice(2);
if (words.includes('-version')) {
  console.log('QEMU emulator version 7.2.0');
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => console.log('heard ' + signal));
const sockets = words
  .map((word) => /addr\\.path=(.*)$/.exec(word)?.[1])
  .filter((path) => path !== undefined)
  .map((path) => connect(path));
const commands = {
  exit: (status) => process.exit(Number(status)),
  kill: (signal) => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  },
  frame: () => {
    const frame = Buffer.alloc(64, 0xff);
    frame.writeUInt32BE(60);
    let sent = 0;
    for (const socket of sockets) socket.write(frame, () => ++sent === sockets.length && console.log('sent'));
  },
};
require('node:readline')
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [name, argument] = line.trim().split(' ');
    commands[name]?.(argument);
  });
for (const word of words) console.log('word ' + word);
console.log('ready');
`;
