/** The demo's lab, as a user would write it, and what its diskless machines boot. */
import type { FileTree } from '../../base/files.ts';

export const DEMO_LAB = `name: demo
capture: demo.pcapng
networks:
  lan:
    subnet: 10.0.2.0/24
    boot: { tftp: ./boot, bootfile: boot.ipxe }
nodes:
  alice: { nics: [lan] }
  bob: { nics: [lan] }
`;

export const BOOT_FILE = 'boot.ipxe';
export const SECOND_FILE = 'hello.txt';

/** How a machine's console says which lease it has, and that it has all files. */
export const LEASE_LINE = /VMLAN-LEASE (\d+\.\d+\.\d+\.\d+)/;
export const DONE_LINE = /VMLAN-DONE/;

const BOOT_SCRIPT = `#!ipxe
echo VMLAN-LEASE \${net0/ip} gateway \${net0/gateway}
imgfetch --name hello tftp://\${next-server}/${SECOND_FILE} && echo VMLAN-DONE || echo VMLAN-NO-FILE
sleep 60
`;

const HELLO = `${'Hello from vmlan. '.repeat(500)}\n`;

/** The folder that TFTP offers, in memory. */
export const demoFiles: FileTree = filesOf({ [BOOT_FILE]: BOOT_SCRIPT, [SECOND_FILE]: HELLO });

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
