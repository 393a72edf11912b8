/** The command line: every verb with its options. What a verb does is in the file of its name. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { version } from './version.ts';

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('it must be a number above 0.');
  return value;
}

function natural(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('it must be a whole number.');
  return Number(text);
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('it must be a port, 0..65535.');
  return Number(text);
}

export function program(): Command {
  const vmlan = new Command('vmlan')
    .description('A userspace network for QEMU machines: switch, hub and gateway in one unprivileged process.')
    .version(version())
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(add --help to learn more)');

  vmlan
    .command('serve')
    .description('one network without any file: any number of machines plug in to the same socket')
    .option(
      '--listen <address>',
      'where machines connect: unix:PATH or tcp:ADDR:PORT (repeatable; default: a socket in the runtime folder)',
      collect,
    )
    .option(
      '--connect <address>',
      'where a QEMU listens (server=on); vmlan connects and reconnects (repeatable)',
      collect,
    )
    .option('--hub', 'a hub, which floods, in place of a switch')
    .option('--no-gateway', 'no station of our own: no DHCP, no names, no way out, nobody answers pings')
    .option('--subnet <cidr>', 'the network, as 10.0.2.0/24')
    .option('--mtu <octets>', 'the largest IP packet, 68..65521', positive)
    .option('--user <options>', "options of QEMU's -netdev user: tftp=DIR,bootfile=FILE,dhcpstart=ADDR,…")
    .option(
      '--forward <rule>',
      'a port of the host that leads to a machine: "tcp 127.0.0.1:2222 -> 10.0.2.15:22" (repeatable)',
      collect,
    )
    .option('--capture <file>', 'record the network: .pcapng or .pcap')
    .option('--name <name>', 'what status, leases and capture call it (default: serve)')
    .option('--json', 'JSON lines in place of text')
    .action(async (options) => (await import('./serve.ts')).serve(options));

  vmlan
    .command('up')
    .description('run the lab of a file until Ctrl-C, or in the background')
    .argument('<file>', 'a lab file, YAML')
    .option('-d, --detach', 'go to the background when machines can plug in')
    .addOption(new Option('--background').hideHelp())
    .option('--json', 'JSON lines in place of text')
    .action(async (file, options) => (await import('./up.ts')).up(file, options));

  vmlan
    .command('down')
    .description('stop a running lab; returns when it is gone')
    .argument('[lab]', 'its name, where several run')
    .option('--force', 'kill it: captures lose what is not on disk')
    .option('--json', 'JSON in place of text')
    .action(async (lab, options) => (await import('./down.ts')).down(lab, options));

  vmlan
    .command('reload')
    .description('take over the edited lab file; machines and connections that it leaves as they are go on')
    .argument('[lab]', 'its name, where several run')
    .option('--check', 'only tell what would change')
    .option('--json', 'JSON in place of text')
    .action(async (lab, options) => (await import('./reload.ts')).reload(lab, options));

  vmlan
    .command('run')
    .description("run a QEMU command with vmlan in place of QEMU's user network; exit status and terminal are QEMU's")
    .usage('[options] -- <command...>')
    .argument('<command...>', 'qemu-system-x86_64 … -netdev user,id=n0,hostfwd=tcp::2222-:22 …')
    .option(
      '--network <name>',
      "one network with others: that of vmlan serve --name NAME, in place of the command's own",
    )
    .option('--capture <file>', 'record all of its networks: .pcapng or .pcap')
    .option('--name <name>', 'what status, leases and capture call it (default: run-PID)')
    .option('--slirp-listen-all', "a hostfwd that names no host address listens on all of them, as QEMU's does")
    .passThroughOptions()
    .action(async (words, options) => (await import('./run.ts')).run(words, options));

  vmlan
    .command('check')
    .description('report everything that is wrong with a lab file; exit status 2 if anything is')
    .argument('<file>')
    .option('--json', 'JSON in place of text')
    .action(async (file, options) => (await import('./check.ts')).check(file, options));

  vmlan
    .command('schema')
    .description('the line at the top of a lab file by which editors complete and check it')
    .option('--json', 'the JSON Schema itself')
    .action(async (options) => (await import('./schema.ts')).schema(options));

  vmlan
    .command('qemu-args')
    .description('the QEMU arguments that plug a machine of a lab in')
    .argument('<node>', 'a machine of the lab')
    .option('-f, --file <file>', 'the lab file (default: the running lab)')
    .option('--lab <name>', 'which running lab, where there are several')
    .option(
      '--qemu <program>',
      'the QEMU that will be started; its version decides the arguments',
      'qemu-system-x86_64',
    )
    .option('--json', 'a JSON array of words in place of a line for the shell')
    .action(async (node, options) => (await import('./qemu-args.ts')).qemuArgs(node, options));

  vmlan
    .command('status')
    .description('networks, ports, traffic and drops of a running lab; or all labs, where several run')
    .argument('[lab]', 'its name')
    .option('--all', 'all running labs, however many there are')
    .option('--watch', 'what passes each port, second by second')
    .option('--json', 'JSON in place of tables')
    .action(async (lab, options) => (await import('./status.ts')).status(lab, options));

  vmlan
    .command('leases')
    .description('DHCP leases of a running lab')
    .argument('[lab]', 'its name, where several run')
    .option('--json', 'JSON in place of a table')
    .action(async (lab, options) => (await import('./leases.ts')).leases(lab, options));

  vmlan
    .command('flows')
    .description('conversations of machines with the world and with the host')
    .argument('[lab]', 'its name, where several run')
    .option('--json', 'JSON in place of a table')
    .action(async (lab, options) => (await import('./flows.ts')).flows(lab, options));

  vmlan
    .command('macs')
    .description('stations that the switches of a running lab heard, and at which port')
    .argument('[lab]', 'its name, where several run')
    .option('--json', 'JSON in place of a table')
    .action(async (lab, options) => (await import('./macs.ts')).macs(lab, options));

  vmlan
    .command('dns')
    .description('names of a running lab, and who answers for others')
    .argument('[lab]', 'its name, where several run')
    .option('--json', 'JSON in place of a table')
    .action(async (lab, options) => (await import('./dns.ts')).dns(lab, options));

  vmlan
    .command('logs')
    .description('what a running lab said, or a machine of it on its serial console')
    .argument('[node]', 'a node whose machine vmlan starts')
    .option('-f, --follow', 'and what it says from now on, until it ends')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON lines in place of text, of the lab')
    .action(async (node, options) => (await import('./logs.ts')).logs(node, options));

  const node = vmlan.command('node').description('machines of a running lab that vmlan starts');
  for (const [order, description] of [
    ['start', 'start them; returns when QEMU answers'],
    ['stop', 'ask them to switch themselves off; end QEMU where they do not'],
    ['restart', 'stop them and start them again'],
  ] as const) {
    const command = node
      .command(order)
      .description(description)
      .argument('<node...>', 'nodes of the lab')
      .option('--lab <name>', 'which running lab, where there are several');
    if (order !== 'start') command.option('--force', 'end QEMU without asking the guest');
    command.action(async (nodes, options) => (await import('./node.ts')).orderNodes(order, nodes, options));
  }
  node
    .command('ls')
    .description('list all nodes of the lab, with what their machines do')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON in place of a table')
    .action(async (options) => (await import('./node.ts')).listNodes(options, '--lab NAME'));

  vmlan
    .command('nodes')
    .description('nodes of a running lab, with what their machines do')
    .argument('[lab]', 'its name, where several run')
    .option('--json', 'JSON in place of a table')
    .action(async (lab, options) => (await import('./node.ts')).listNodes({ ...options, lab }, 'NAME'));

  vmlan
    .command('console')
    .description("the serial console of a machine that vmlan started, after its log's last lines; Ctrl-] leaves it")
    .argument('<node>', 'a node of the lab')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--tail <lines>', 'how much of the log is shown first', natural, 20)
    .action(async (which, options) => (await import('./console.ts')).attachConsole(which, options));

  const forward = vmlan.command('forward').description('ports of the host that lead to machines of a running lab');
  forward
    .command('add')
    .description('add one; says its id and its real port')
    .argument('<rule>', '"tcp 127.0.0.1:8080 -> web:80", "udp 5353 -> 10.0.2.15:53", "unix /PATH -> web:80"')
    .option('--network <name>', "the machine's network, where it is on several")
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON in place of text')
    .action(async (rule, options) => (await import('./forward.ts')).addForward(rule, options));
  forward
    .command('rm')
    .description('end one; connections that came by it go on')
    .argument('<id>', 'its id, what it listens at ("tcp 127.0.0.1:8080"), or its rule')
    .option('--lab <name>', 'which running lab, where there are several')
    .action(async (which, options) => (await import('./forward.ts')).removeForward(which, options));
  forward
    .command('ls')
    .description('list them')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON in place of a table')
    .action(async (options) => (await import('./forward.ts')).listForwards(options));

  const link = vmlan.command('link').description('what the links of a running lab do to frames');
  link
    .command('show')
    .description('delay, jitter, loss and rate of each direction, and whether it is up')
    .argument(
      '[port]',
      'NODE:NIC, NODE where it has one card, vm1, ROUTER:INTERFACE or NETWORK:gateway; all where it is left out',
    )
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON in place of a table')
    .action(async (port, options) => (await import('./link.ts')).showLinks(port, options));
  link
    .command('set')
    .description('change what is named, for frames from now on; 0 takes it away')
    .argument('<port>', 'NODE:NIC, NODE where it has one card, vm1, ROUTER:INTERFACE or NETWORK:gateway')
    .argument(
      '<settings...>',
      'delay=20ms jitter=5ms loss=1% rate=10mbit limit=1000; from-guest or to-guest: that direction only',
    )
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--json', 'JSON in place of text')
    .action(async (port, settings, options) => (await import('./link.ts')).setLink(port, settings, options));
  for (const [verb, description] of [
    ['reset', 'impair it no more; what waits leaves at once'],
    ['down', 'frames either way are lost, as with the cable unplugged'],
    ['up', 'plug it in again'],
  ] as const) {
    link
      .command(verb)
      .description(description)
      .argument('<port>', 'NODE:NIC, NODE where it has one card, vm1, ROUTER:INTERFACE or NETWORK:gateway')
      .option('--lab <name>', 'which running lab, where there are several')
      .action(async (port, options) => (await import('./link.ts')).changeLink(verb, port, options));
  }

  vmlan
    .command('capture')
    .description('record a port (both directions), a network or all of a running lab (each frame once) until Ctrl-C')
    .argument('<port>', 'NODE:NIC, vm1, the name of a network, or all')
    .requiredOption('-w, --write <file>', 'the capture file; - writes to standard output, for | wireshark -k -i -')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--format <format>', 'pcapng or pcap (default: by the name of the file)')
    .option('-s, --snap-length <octets>', 'octets kept of each frame', positive)
    .option('--max-size <octets>', 'stop when the capture is about this long', positive)
    .option('--duration <seconds>', 'stop after this time', positive)
    .action(async (port, options) => (await import('./capture.ts')).capture(port, options));

  const joining = (command: Command) =>
    command
      .option('--lab <name>', 'which running lab, where there are several')
      .option('--name <name>', 'what its port, its host name and its lease are called (default: exec-1, …)')
      .option('--address <cidr>', 'an address of its own, 10.0.2.50/24, in place of one by DHCP')
      .option('--via <address>', "with --address: the router (default: the network's gateway)")
      .option('--dns <address>', "a name server in place of the network's (repeatable)", collect);

  joining(
    vmlan
      .command('exec')
      .description(
        "run a command of this machine as a station of a lab's network; exit status and terminal are its own",
      )
      .usage('<network> [options] -- <command...>')
      .argument('<network>', 'a network of the lab')
      .argument('<command...>', 'ping web'),
  ).action(async (network, words, options) => (await import('./exec.ts')).exec(network, words, options));

  joining(
    vmlan
      .command('shell')
      .description("your shell as a station of a lab's network")
      .argument('<network>', 'a network of the lab'),
  ).action(async (network, options) => (await import('./exec.ts')).shell(network, options));

  vmlan
    .command('proxy')
    .description('SOCKS 5 and HTTP on 127.0.0.1 for programs that reach a lab by name: browsers, curl -x')
    .option('--lab <name>', 'which running lab, where there are several')
    .option('--port <port>', 'where to listen; 0 asks for a free port', port, 1080)
    .option('--network <name>', 'a network to join (repeatable; default: all that have a gateway)', collect)
    .option('--address <network=cidr>', 'an address of its own in a network, cable=10.9.0.9/24 (repeatable)', collect)
    .option('--json', 'JSON lines in place of text')
    .action(async (options) => (await import('./proxy.ts')).proxy(options));

  vmlan
    .command('doctor')
    .description(
      'what of this machine vmlan can use, what is missing, what that costs; exit status 1 if no lab can run',
    )
    .option('--json', 'JSON in place of text')
    .action(async (options) => (await import('./doctor.ts')).doctor(options));

  vmlan
    .command('exec-inside', { hidden: true })
    .argument('<settings>')
    .action(async (settings) => (await import('./exec-inside.ts')).execInside(settings));

  vmlan
    .command('completion')
    .description('a script by which a shell completes words, and names of labs, machines, networks and ports')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => (await import('./completion.ts')).completion(shell));

  vmlan
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => (await import('./complete.ts')).complete(vmlan, words));

  vmlan
    .command('demo')
    .description('machines boot over a network that vmlan makes and read pages of the host, and you watch')
    .option('--built-in', 'machines of our own in place of QEMU')
    .option('--break <part>', 'see what fails without it: dhcp, tftp, dns or http')
    .option('-w, --write <file>', 'the capture file', 'demo.pcapng')
    .action(async (options) => (await import('./demo.ts')).demo(options));

  return vmlan;
}
