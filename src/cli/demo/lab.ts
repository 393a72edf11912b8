/** The demo's lab, as a user would write it, and what its machines boot and read. */
import type { FileTree } from '../../base/files.ts';

/** `port` is where the demo's web server listens on the host's loopback. */
export function demoLab(port: number): string {
  return `name: demo
capture: demo.pcapng
networks:
  lan:
    subnet: 10.0.2.0/24
    boot: { tftp: ./boot, bootfile: boot.ipxe }
    dns: { records: [{ name: ${PAGE_SERVER}, a: 10.0.2.2 }] }
    host-access: [tcp ${port}]
nodes:
  alice: { nics: [lan] }
  bob: { nics: [lan] }
  ${WEB}: { nics: [lan] }
forwards:
  - tcp 0 -> ${WEB}:80
`;
}

export const BOOT_FILE = 'boot.ipxe';
export const SECOND_FILE = 'hello.txt';
/** The node that is a built-in web server, and what it says. */
export const WEB = 'web';
export const WEB_PATH = '/';
export const WEB_TEXT = 'Greetings from a machine that exists in vmlan only.\n';
/** The web server of the host, as machines know it. */
const PAGE_SERVER = 'files';
export const PAGE_HOST = `${PAGE_SERVER}.lab.internal`;
export const PAGE_PATH = '/page.txt';
export const PAGE_TEXT = `${'A page of the host. '.repeat(2000)}\n`;

/** How a machine's console says which lease it has, that it has all files, and that it will not get one. */
export const LEASE_LINE = /VMLAN-LEASE (\d+\.\d+\.\d+\.\d+)/;
export const DONE_LINE = /VMLAN-DONE/;
export const MISSING_LINE = /VMLAN-NO-FILE/;

function bootScript(port: number): string {
  return `#!ipxe
echo VMLAN-LEASE \${net0/ip} gateway \${net0/gateway}
imgfetch --name hello tftp://\${next-server}/${SECOND_FILE} || goto failed
imgfetch --name page http://${PAGE_HOST}:${port}${PAGE_PATH} || goto failed
echo VMLAN-DONE
sleep 60
:failed
echo VMLAN-NO-FILE
sleep 60
`;
}

const HELLO = `${'Hello from vmlan. '.repeat(500)}\n`;

/** The folder that TFTP offers, in memory. */
export function demoFiles(port: number): FileTree {
  return filesOf({ [BOOT_FILE]: bootScript(port), [SECOND_FILE]: HELLO });
}

export const noFiles: FileTree = filesOf({});

function filesOf(texts: Readonly<Record<string, string>>): FileTree {
  return {
    open: async (path) => {
      const text = texts[path.replace(/^\/+/, '')];
      if (text === undefined) return undefined;
      const bytes = new TextEncoder().encode(text);
      return {
        size: bytes.length,
        read: async (at, length) => bytes.slice(at, at + length),
        close: async () => undefined,
      };
    },
  };
}
