import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/base/issue.ts';
import { readQemuCommand } from '../../src/qemu/command-line.ts';
import { pluggedCommand } from '../../src/qemu/plugged-command.ts';

const QEMU = 'qemu-system-x86_64';
const V7 = { major: 7, minor: 2, patch: 0 };
const CABLE = 'server=off,addr.type=unix,addr.path=/run/0';
const CABLE_1 = 'server=off,addr.type=unix,addr.path=/run/1';

/** The command as it starts QEMU, its words after the program's. */
function plugged(text: string, freshMac?: () => string, version = V7): string | undefined {
  const command = readQemuCommand([QEMU, ...text.split(' ').filter((word) => word !== '')]);
  expect(command.issues).toEqual([]);
  const plugs = command.networks.map((_, i) => ({
    socket: { kind: 'unix', path: `/run/${i}` } as const,
    ...(freshMac && { freshMac }),
  }));
  return pluggedCommand(command, plugs, version)?.slice(1).join(' ');
}

const optionsOf = (...words: readonly string[]) =>
  readQemuCommand([QEMU, ...words]).networks.map(({ options }) => options);
const issuesOf = (...words: readonly string[]) => readQemuCommand(words).issues.map(formatIssue);

describe('the user networks of a QEMU command', () => {
  it.each([
    ['-netdev user,id=n0', `-netdev stream,id=n0,${CABLE}`],
    ['--netdev user,id=n0', `-netdev stream,id=n0,${CABLE}`],
    ['-netdev id=n0,type=user', `-netdev stream,id=n0,${CABLE}`],
    ['-netdev {"type":"user","id":"n0"}', `-netdev stream,id=n0,${CABLE}`],
    [
      '-nic user',
      `-nic hubport,hubid=1 -netdev stream,id=vmlan0,${CABLE} -netdev hubport,id=vmlan0-port,hubid=1,netdev=vmlan0`,
    ],
    [
      '-nic user,model=e1000,id=u,mac=52:54:00:00:00:07,restrict=on',
      `-nic hubport,id=u,hubid=1,model=e1000,mac=52:54:00:00:00:07 -netdev stream,id=vmlan0,${CABLE} -netdev hubport,id=vmlan0-port,hubid=1,netdev=vmlan0`,
    ],
    [
      '-net nic,model=rtl8139 -net user,id=u',
      `-net nic,model=rtl8139 -netdev stream,id=vmlan0,${CABLE} -netdev hubport,id=vmlan0-port,hubid=0,netdev=vmlan0`,
    ],
    ['', `-net nic -netdev stream,id=vmlan0,${CABLE} -netdev hubport,id=vmlan0-port,hubid=0,netdev=vmlan0`],
  ])('are replaced by cables: %s', (given, expected) => {
    expect(plugged(`-m 512 ${given} disk.img`)).toBe(
      given === '' ? `-m 512 disk.img ${expected}` : `-m 512 ${expected} disk.img`,
    );
  });

  it('are as many as there are', () => {
    expect(plugged('-netdev user,id=a -nic user -device e1000,netdev=a')).toBe(
      `-netdev stream,id=a,${CABLE} -nic hubport,hubid=1 -netdev stream,id=vmlan0,${CABLE_1} ` +
        '-netdev hubport,id=vmlan0-port,hubid=1,netdev=vmlan0 -device e1000,netdev=a',
    );
  });

  it('get hubs and names that the command does not have', () => {
    expect(plugged('-nic user -netdev user,id=vmlan0 -netdev hubport,id=h,hubid=1')).toContain(
      '-netdev hubport,id=vmlan1-port,hubid=2,netdev=vmlan1',
    );
  });

  it.each([
    '-nodefaults',
    '-nic none',
    '-net none',
    '-net nic',
    '-netdev tap,id=t -device e1000,netdev=t',
    '-nic tap,model=e1000',
    '-netdev help',
    '-netdev {"type":"tap","id":"t"}',
    '-netdev {"type":"user"',
    '-M none',
    '-machine type=none',
    '-machine help',
    '-version',
    '--help',
    '-device e1000 -nodefaults',
    '-nodefaults -append -netdev',
  ])('are none in: %s', (text) => {
    expect(plugged(text)).toBe(text);
  });

  it.each(['-M pc', '-append nodefaults', '-device e1000,netdev=gone', '-name -net', '-drive file=-nic'])(
    'are the default one with: %s',
    (text) => {
      expect(readQemuCommand([QEMU, ...text.split(' ')]).networks).toMatchObject([{ form: 'default', id: undefined }]);
    },
  );

  it('have their options read, lists in JSON too', () => {
    const expected = {
      hostfwd: ['tcp::2222-:22'],
      dnssearch: ['a.test', 'b.test'],
      isRestricted: true,
      net: '10.0.3.0/24',
    };
    const plain = 'user,id=n,hostfwd=tcp::2222-:22,dnssearch=a.test,dnssearch=b.test,restrict=on,net=10.0.3.0/24';
    const json =
      '{"type":"user","id":"n","hostfwd":[{"str":"tcp::2222-:22"}],"dnssearch":[{"str":"a.test"},{"str":"b.test"}],"restrict":true,"net":"10.0.3.0/24"}';
    expect(optionsOf('-netdev', plain)).toMatchObject([expected]);
    expect(optionsOf('-netdev', json)).toEqual(optionsOf('-netdev', plain));
  });

  it('are found behind the words of a wrapper', () => {
    const command = readQemuCommand(['taskset', '-c', '0', '/opt/bin/qemu-system-aarch64', '-nic', 'user']);
    expect(command).toMatchObject({ program: '/opt/bin/qemu-system-aarch64', networks: [{ label: '-nic user' }] });
  });

  it('are found in the words of a script, which has no default one', () => {
    expect(readQemuCommand(['./start-vm', '-nic', 'user']).networks).toHaveLength(1);
    expect(issuesOf('./start-vm', 'fast')).toEqual([
      'there is neither a QEMU nor a user network in the command; write vmlan run -- qemu-system-x86_64 …',
    ]);
  });

  it('are refused with all that is wrong with them, each by its name', () => {
    expect(
      issuesOf(QEMU, '-netdev', 'user', '-netdev', 'user,id=n0,restrct=on', '-nic', 'user,foo=1', '-daemonize'),
    ).toEqual([
      '-netdev user: a netdev needs a name for its card to find it; write -netdev user,id=n0 -device e1000,netdev=n0',
      '-netdev n0.restrct: QEMU knows no such option of -netdev user; did you mean restrict?',
      "-nic user.foo: QEMU knows no such option of -netdev user; see the options of -netdev user in QEMU's manual",
      '-daemonize: the network ends with the process that vmlan waits for, and this one would leave at once; leave it out, and put & behind the command',
    ]);
  });

  it('take model and mac with -nic only', () => {
    expect(issuesOf(QEMU, '-netdev', 'user,id=n0,model=e1000')).toHaveLength(1);
  });

  it('are not looked for in files, which is said', () => {
    expect(readQemuCommand([QEMU, '-readconfig', 'vm.cfg']).remarks).toEqual([
      "vm.cfg is not looked into: a user network that it asks for stays QEMU's own",
    ]);
  });

  it('may stand among any words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('-netdev', '-nic', '-net', '{', 'user', '{}'))),
        (words) => {
          expect(() => readQemuCommand([QEMU, ...words])).not.toThrow();
        },
      ),
    );
  });
});

describe('cards on a network with others', () => {
  const mac = () => '52:54:00:aa:bb:cc';

  it.each([
    ['-netdev user,id=n -device e1000,netdev=n', '-device e1000,netdev=n,mac=52:54:00:aa:bb:cc'],
    ['-netdev user,id=n -device {"driver":"e1000","netdev":"n"}', '"mac":"52:54:00:aa:bb:cc"'],
    ['-nic user,model=e1000', 'hubid=1,model=e1000,mac=52:54:00:aa:bb:cc'],
    ['-net nic -net user', '-net nic,macaddr=52:54:00:aa:bb:cc'],
    ['', '-net nic,macaddr=52:54:00:aa:bb:cc'],
  ])('get an address where they have none: %s', (given, expected) => {
    expect(plugged(given, mac)).toContain(expected);
  });

  it.each([
    '-netdev user,id=n -device e1000,netdev=n,mac=52:54:00:00:00:01',
    '-netdev user,id=n -device {"driver":"e1000","netdev":"n","mac":"52:54:00:00:00:01"}',
    '-nic user,mac=52:54:00:00:00:01',
    '-net nic,macaddr=52:54:00:00:00:01 -net user',
    '-netdev tap,id=n -device e1000,netdev=n',
    '-netdev user,id=n -device {"driver',
  ])('keep what they have: %s', (given) => {
    expect(plugged(given, mac)).not.toContain('aa:bb:cc');
  });
});

describe('the version of QEMU', () => {
  it('decides how the cable comes back', () => {
    expect(plugged('-netdev user,id=n', undefined, { major: 9, minor: 2, patch: 0 })).toMatch(/,reconnect-ms=1000$/);
  });

  it('before 7.2 reaches no unix socket', () => {
    expect(plugged('-netdev user,id=n', undefined, { major: 6, minor: 2, patch: 0 })).toBeUndefined();
  });
});
