import { writeFileSync } from 'node:fs';
import type { Workbench } from './workbench.ts';

/**
 * A program that is called as QEMU is. It says its words, one a line behind `word `, and `ready`; it takes one command a line from its
 * standard input: `exit N`, `kill SIGNAL` (itself), `frame` (sends one to each unix socket among its words, then says `sent`). Of signals it
 * says the name and goes on.
 *
 * As a machine of vmlan it writes its pid file, serves QMP, and has a console that begins with `booted` and repeats what is typed; the word
 * `broken` ends it at once with a complaint, and the word `deaf` lets it ignore that it shall switch itself off.
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
if (words.includes('broken')) {
  console.error(process.argv[1] + ': broken is no option');
  process.exit(1);
}
const chardev = (id) => words.find((word) => word.startsWith('socket,id=' + id + ','));
const field = (text, key) => new RegExp('(?:^|,)' + key + '=([^,]*)').exec(text)?.[1];
const after = (option) => words[words.indexOf(option) + 1];
if (chardev('vmlan-qmp')) serveAsMachine();
function serveAsMachine() {
  const fs = require('node:fs');
  const listen = (path, serve) => {
    fs.rmSync(path, { force: true });
    require('node:net').createServer(serve).listen(path);
  };
  const log = (text) => fs.appendFileSync(field(chardev('vmlan-console'), 'logfile'), text);
  const users = new Set();
  const leave = (client, guest, reason) => {
    const event = JSON.stringify({ event: 'SHUTDOWN', data: { guest, reason } });
    fs.rmSync(after('-pidfile'));
    client.end(event + '\\r\\n', () => process.exit(0));
  };
  const answers = {
    'query-uuid': () => ({ UUID: after('-uuid') }),
    'query-chardev': () => [{ label: 'vmlan-console', filename: (users.size > 0 ? '' : 'disconnected:') + 'unix:' }],
  };
  const orders = {
    system_powerdown: (client) => words.includes('deaf') || leave(client, true, 'guest-shutdown'),
    quit: (client) => leave(client, false, 'host-qmp-quit'),
  };
  fs.writeFileSync(after('-pidfile'), String(process.pid));
  log('booted\\n');
  listen(field(chardev('vmlan-console'), 'path'), (client) => {
    users.add(client);
    client.on('close', () => users.delete(client)).on('data', (typed) => client.write('you typed ' + typed));
  });
  listen(field(chardev('vmlan-qmp'), 'path'), (client) => {
    client.on('error', () => {}).write('{"QMP": {"version": {}, "capabilities": []}}\\r\\n');
    require('node:readline').createInterface({ input: client }).on('line', (line) => {
      const { execute, id } = JSON.parse(line);
      client.write(JSON.stringify({ return: answers[execute]?.() ?? {}, id }) + '\\r\\n');
      orders[execute]?.(client);
    });
  });
}
const isServer = (word) => word.includes(',server=on,addr');
for (const word of words.filter(isServer)) require('node:net').createServer().listen(field(word, 'addr.path'));
const sockets = words
  .filter((word) => !isServer(word))
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
