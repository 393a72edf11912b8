import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileResolvers } from '../../src/host/host-resolvers.ts';
import { formatEndpoint } from '../../src/wire/endpoint-text.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function resolversOf(text: string | undefined) {
  const path = join(temporaryFolder(), 'resolv.conf');
  if (text !== undefined) writeFileSync(path, text);
  const scheduler = new ManualScheduler();
  const resolvers = new FileResolvers(scheduler, path);
  const servers = () => resolvers.servers().map(formatEndpoint);
  return { path, scheduler, servers };
}

describe("the host's resolvers", () => {
  it('are in the order of the file, of both families, without scopes', () => {
    const text =
      '# nameserver 192.0.2.9\nnameserver 127.0.0.53\n nameserver 192.0.2.1 # the other\nnameserver fe80::1%eth0\n';
    expect(resolversOf(text).servers()).toEqual(['127.0.0.53:53', '192.0.2.1:53', '[fe80::1]:53']);
  });

  it.each([undefined, '', 'options edns0\n', 'nameserver nonsense\n'])(
    'are this machine where the file is %j',
    (text) => {
      expect(resolversOf(text).servers()).toEqual(['127.0.0.1:53']);
    },
  );

  it('follow the file a second later, and stay as they are while it is away', () => {
    const { path, scheduler, servers } = resolversOf('nameserver 192.0.2.1\n');
    expect(servers()).toEqual(['192.0.2.1:53']);
    writeFileSync(path, 'nameserver 192.0.2.22\n');
    scheduler.advance(999);
    expect(servers()).toEqual(['192.0.2.1:53']);
    scheduler.advance(1);
    expect(servers()).toEqual(['192.0.2.22:53']);
    rmSync(path);
    scheduler.advance(1000);
    expect(servers()).toEqual(['192.0.2.22:53']);
  });
});
