import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = new URL('../src/', import.meta.url);
const MAX_LINES = 400;
/** These may touch the machine; everything else is pure. */
const OUTER = new Set(['host', 'control', 'cli', 'main.ts']);
/** Who may import which package. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  zod: ['lab', 'control'],
  yaml: ['lab'],
  commander: ['cli'],
  hono: ['control'],
  '@hono/node-server': ['control'],
  'ip-address': ['lab', 'cli'],
  '@leichtgewicht/dns-packet': ['wire'],
  koffi: ['host'],
};

interface SourceFile {
  /** From `src`: `lan/hub.ts`. */
  readonly path: string;
  readonly text: string;
}

describe('the sources', () => {
  const files = sourceFiles();

  it('are all found', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['main.ts', 'wire/mac.ts', 'service/dhcp/server.ts']),
    );
  });

  it('import only what the table of src/README.md allows', () => {
    expect(files.flatMap((file) => forbiddenImports(file, importTable()))).toEqual([]);
  });

  it('touch the machine only in host, control, cli and main.ts', () => {
    expect(files.flatMap(impurities)).toEqual([]);
  });

  it('have one barrel, index.ts', () => {
    expect(files.flatMap(barrels)).toEqual([]);
  });

  it(`have at most ${MAX_LINES} lines`, () => {
    const long = files.filter(({ text }) => text.split('\n').length - 1 > MAX_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('are named in kebab-case for their one subject', () => {
    expect(files.flatMap(({ path }) => badNames(path))).toEqual([]);
  });

  it('have their folders in the table', () => {
    const folders = new Set(files.map(({ path }) => folderOf(path)));
    expect([...importTable().keys()]).toEqual(expect.arrayContaining([...folders]));
  });
});

describe('the architecture test', () => {
  const table = new Map([
    ['base', new Set<string>()],
    ['lan', new Set(['base'])],
  ]);

  it.each([
    ["import { a } from '../lan/hub.ts';", 'base/a.ts: lan'],
    ["import type { A } from '../lan/hub.ts';", 'base/a.ts: lan'],
    ["import {\n  a,\n  b,\n} from '../lan/hub.ts';", 'base/a.ts: lan'],
    ["import '../lan/hub.ts';", 'base/a.ts: lan'],
    ["export { a } from '../lan/hub.ts';", 'base/a.ts: lan'],
    ["const a = await import('../lan/hub.ts');", 'base/a.ts: lan'],
    ["type A = import('../lan/hub.ts').A;", 'base/a.ts: lan'],
    ["import fs from 'fs';", 'base/a.ts: fs'],
    ["import { z } from 'zod';", 'base/a.ts: zod'],
  ])('sees through %j', (text, complaint) => {
    expect(forbiddenImports({ path: 'base/a.ts', text }, table)).toEqual([complaint]);
  });

  it('lets a lower folder, the same folder and a comment be', () => {
    const text = "import '../base/a.ts';\nimport './hub.ts';\n// import '../cli/up.ts';\n";
    expect(forbiddenImports({ path: 'lan/b.ts', text }, table)).toEqual([]);
  });

  it.each([
    'Buffer.from(a)',
    'new Date()',
    'setTimeout(f)',
    'process.exit()',
    'Math.random()',
    "import 'node:fs';",
    'const a = `at ${' + 'Date.now()}`;',
  ])('sees the machine in %j', (text) => {
    expect(impurities({ path: 'lan/a.ts', text })).toHaveLength(1);
    expect(impurities({ path: 'host/a.ts', text })).toHaveLength(0);
  });

  it('reads code, not comments, text or members', () => {
    const text = "/* Date */ const a = 'Buffer'; // process\na.process = { Date: 1 };\n";
    expect(impurities({ path: 'lan/a.ts', text })).toEqual([]);
  });

  it('knows a barrel and a bad name', () => {
    expect(barrels({ path: 'lan/all.ts', text: "export * from './hub.ts';" })).toHaveLength(1);
    expect(barrels({ path: 'lan/all.ts', text: "export { Hub } from './hub.ts';" })).toHaveLength(1);
    expect(['lan/index.ts', 'lan/Hub.ts', 'lan/string-utils.ts'].flatMap(badNames)).toHaveLength(3);
  });
});

function sourceFiles(): readonly SourceFile[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(new URL(path, SOURCES), 'utf8') }));
}

/** The rows of the map: folder or file, and what it may import. */
function importTable(): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = readFileSync(new URL('README.md', SOURCES), 'utf8').matchAll(/^\| `([a-z.]+)` \| .* \| ([^|]+) \|$/gm);
  const table = new Map<string, ReadonlySet<string>>();
  for (const [, name, allowed] of rows) table.set(name!, allowedSet(allowed!, [...table.keys()]));
  return table;
}

function allowedSet(allowed: string, above: readonly string[]): ReadonlySet<string> {
  if (allowed === 'nothing') return new Set();
  if (allowed === 'all') return new Set(above);
  const [, exception] = /^every folder above(?: but ([a-z]+))?$/.exec(allowed) ?? [];
  if (allowed.startsWith('every folder above')) return new Set(above.filter((name) => name !== exception));
  return new Set(allowed.split(' '));
}

function forbiddenImports(
  { path, text }: SourceFile,
  table: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const own = folderOf(path);
  const complaints: string[] = [];
  for (const target of importsOf(text)) {
    if (target.startsWith('node:')) continue;
    const isOwn = target.startsWith('.');
    const name = isOwn ? folderOf(posix.join(posix.dirname(path), target)) : target;
    const isAllowed = isOwn ? name === own || table.get(own)?.has(name) : PACKAGES[name]?.includes(own);
    if (isAllowed !== true) complaints.push(`${path}: ${name}`);
  }
  return complaints;
}

/** Every module that is imported, re-exported, or imported for its types or when needed. */
function importsOf(text: string): readonly string[] {
  const imports = codeOf(text).matchAll(/\b(?:from|import)\s*\(?\s*'([^'\s]+)'/g);
  return [...imports].map(([, target]) => target!);
}

function impurities({ path, text }: SourceFile): readonly string[] {
  if (OUTER.has(folderOf(path))) return [];
  const machine = importsOf(text).filter((target) => target.startsWith('node:'));
  const code = codeOf(text).replace(/'(?:\\.|[^'\\\n])*'/g, "''");
  const globals = code.match(
    /(?<![.\w#])(?:Buffer|Date|performance|process|console|globalThis|set(?:Timeout|Interval|Immediate))\b(?!\??:)|\bMath\.random\b/g,
  );
  return [...machine, ...(globals ?? [])].map((name) => `${path}: ${name}`);
}

/** The text without comments. */
function codeOf(text: string): string {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, literal = '') => literal,
  );
}

/** Re-exports of values: `index.ts` is where names are gathered. */
function barrels({ path, text }: SourceFile): readonly string[] {
  return path !== 'index.ts' && /^export (?:\*|\{[^}]*\}) .*from /m.test(codeOf(text)) ? [path] : [];
}

function badNames(path: string): readonly string[] {
  const isKebab = path.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.ts)?$/.test(part));
  const isVague = /(^|[/-])(utils?|helpers?|common|types?|managers?)(-|\.ts$)/.test(path) || /\/index\.ts$/.test(path);
  return isKebab && !isVague ? [] : [path];
}

/** The folder, or the file itself where it lies beside the folders. */
function folderOf(path: string): string {
  return path.split('/')[0]!;
}
