import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { proxyHeader } from '../../src/nat/proxy-header.ts';
import { describeWith } from '../support/describe-with.ts';
import { hex } from '../support/frames.ts';
import { octets } from '../support/stack-peer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const IPV4 = {
  source: { address: octets('198.51.100.22'), port: 35_646 },
  destination: { address: octets('10.0.2.15'), port: 80 },
};
const IPV6 = {
  source: { address: hex('20010db8 00000000 00000000 00000001'), port: 4124 },
  destination: { address: octets('10.0.2.15'), port: 80 },
};

describeWith(['haproxy'], 'PROXY headers in haproxy', () => {
  it.each([1, 2] as const)('of version %i say who the client is', async (version) => {
    const socket = await startHaproxy();
    expect(await ask(socket, proxyHeader(version, IPV4))).toMatch(
      / 200 [\s\S]*198\.51\.100\.22:35646 10\.0\.2\.15:80$/,
    );
    expect(await ask(socket, proxyHeader(version, IPV6))).toMatch(
      / 200 [\s\S]*2001:db8::1:4124 ::ffff:10\.0\.2\.15:80$/,
    );
    expect(await ask(socket, proxyHeader(version, undefined))).toMatch(/ 200 /);
  });

  it('are asked for: a client without one is turned away', async () => {
    expect(await ask(await startHaproxy(), new Uint8Array(0))).not.toMatch(/ 200 /);
  });
});

/** A haproxy that wants a PROXY header and answers each request with what it said; returns its socket. */
async function startHaproxy(): Promise<string> {
  const folder = temporaryFolder();
  const socket = join(folder, 'web.sock');
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(
    config,
    `defaults
  mode http
  timeout client 10s
frontend web
  bind unix@${socket} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"
`,
  );
  const haproxy = spawn('haproxy', ['-db', '-f', config], { stdio: 'ignore' });
  onTestFinished(() => void haproxy.kill());
  for (;;) {
    const isListening = await new Promise((resolve) => {
      const probe = connect(socket, () => resolve(true)).on('error', () => resolve(false));
      probe.on('connect', () => probe.destroy());
    });
    if (isListening) return socket;
    expect(haproxy.exitCode).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What haproxy says to a request behind the header. */
function ask(socket: string, header: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const client = connect(socket, () => {
      client.write(header);
      client.write('GET / HTTP/1.0\r\n\r\n');
    });
    client.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    client.on('error', () => undefined).on('close', () => resolve(answer));
  });
}
