/** The YAML of a lab file: its value, and where in the text each part of it stands. */
import type { Node, Pair, ParsedNode, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { IssuePath } from '../base/issue.ts';
import type { Finding, LabIssue } from './issue.ts';
import { substitute } from './variables.ts';

/** How often a lab may use an anchor; yaml counts what aliases of aliases stand for. */
const MAX_ALIAS_COUNT = 100;

/** Where the library's words are about its own interface, or leave the reader without a remedy. */
const SYNTAX_WORDS: Readonly<Partial<Record<string, { readonly message: string; readonly hint: string }>>> = {
  MULTIPLE_DOCS: { message: 'a second document begins here', hint: 'a file holds one lab: remove what follows ---' },
  BAD_INDENT: {
    message: 'this is indented in a way that fits nothing above',
    hint: 'close brackets, and give lines of one list the same indent',
  },
  TAB_AS_INDENT: { message: 'a tab indents this line', hint: 'YAML wants spaces' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'this is indented deeper than its neighbours, or a key too many stands on the line',
    hint: 'give keys of one map the same indent',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key goes on over the end of its line',
    hint: 'give keys of one map the same indent',
  },
};

const BARE_VARIABLE = {
  message: 'a variable stands without quotes between { } or [ ]',
  hint: 'put quotes around it',
};

export class LabDocument {
  /** As its user names it. */
  readonly file: string;
  /** In which it lies, seen from that of the lab file. */
  readonly folder: string;
  /** What is wrong with the YAML itself. */
  readonly issues: readonly LabIssue[];
  /** Plain data, in which a `FilledText` or a `FaultyText` may stand; undefined where the text is not YAML. */
  readonly value: unknown;
  readonly #root: Node | null;
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #lines = new LineCounter();

  /** `variable` gives those of the environment. */
  constructor(text: string, file: string, folder: string, variable: (name: string) => string | undefined) {
    this.file = file;
    this.folder = folder;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, resolveKnownTags: false });
    this.#root = this.#document.contents;
    const faults = [...this.#document.errors, ...this.#document.warnings];
    const bare = faults.findIndex(({ pos }) => text.startsWith('${', pos[0] - 1));
    const told = bare < 0 ? faults : faults.slice(0, bare);
    const issues = [...told.map((fault) => this.#syntaxIssue(fault)), ...this.#structureIssues()];
    // what follows it is read wrongly
    if (bare >= 0)
      issues.push({ code: 'yaml-syntax', path: [], ...BARE_VARIABLE, ...this.#at(faults[bare]!.pos[0] - 1) });
    const isReadable = issues.every(({ code }) => code === 'duplicate-key');
    if (isReadable) {
      this.#substitute(variable);
      try {
        this.value = this.#document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
      } catch {
        // yaml refuses aliases of aliases that would swell without bound
        issues.push({
          code: 'yaml-alias',
          path: [],
          message: 'the aliases stand for too much',
          hint: 'write values out',
          ...this.#at(0),
        });
      }
    }
    this.issues = issues;
  }

  /** Puts line and column to what was found. */
  locate({ isAboutKey, ...issue }: Finding): LabIssue {
    return { ...issue, ...this.#at(this.#offsetOf(issue.path, isAboutKey === true)) };
  }

  #substitute(variable: (name: string) => string | undefined): void {
    visit(this.#document, {
      Scalar: (place, scalar) => {
        if (place !== 'key' && typeof scalar.value === 'string' && scalar.value.includes('$'))
          scalar.value = substitute(scalar.value, variable);
      },
    });
  }

  #syntaxIssue({ code, message, pos }: YAMLError): LabIssue {
    const at = this.#at(pos[0]);
    if (code !== 'DUPLICATE_KEY')
      return {
        code: 'yaml-syntax',
        path: [],
        ...(SYNTAX_WORDS[code] ?? { message: message.replace(/\.$/, '') }),
        ...at,
      };
    return {
      code: 'duplicate-key',
      path: this.#pathAt(pos[0]),
      message: 'this is here already',
      hint: 'rename it, or merge the two',
      ...at,
    };
  }

  /** What YAML allows and plain data cannot hold. */
  #structureIssues(): readonly LabIssue[] {
    const issues: LabIssue[] = [];
    const report = (code: string, node: unknown, message: string, hint: string) => {
      issues.push({ code, path: [], message, hint, ...this.#at(startOf(node) ?? 0) });
    };
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) === undefined)
          report('yaml-alias', alias, `there is no anchor &${alias.source} above`, 'write the value out');
      },
      Pair: (_, { key }) => {
        if (!isScalar(key))
          report('yaml-key', key, 'a key must be a word', 'put text that begins with { [ or * in quotes');
        else if (key.value === '__proto__')
          report('yaml-key', key, '__proto__ cannot be a name', 'choose another name');
      },
    });
    return issues;
  }

  /** The path of the key that begins at `offset`. */
  #pathAt(offset: number): IssuePath {
    let found: IssuePath = [];
    visit(this.#document, {
      Pair: (_, pair, ancestors) => {
        if (startOf(pair.key) !== offset) return undefined;
        found = [...ancestors, pair].flatMap((ancestor) => (isPair(ancestor) ? [String(ancestor.key)] : []));
        return visit.BREAK;
      },
    });
    return found;
  }

  /** Where the value at `path` begins, or its key; where it is missing, what it is missing from. */
  #offsetOf(path: IssuePath, isAboutKey: boolean): number {
    let node: Node | null | undefined = this.#root;
    let offset = startOf(node) ?? 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.findLast(
          ({ key }) => isScalar(key) && String(key.value) === String(step),
        );
        if (pair === undefined) return offset;
        const isLast = depth === path.length - 1;
        const value: Node | undefined = isNode(pair.value) ? pair.value : undefined;
        offset = (isLast && isAboutKey ? undefined : valueStart(value)) ?? startOf(pair.key) ?? offset;
        node = value;
      } else if (isSeq(node) && typeof step === 'number') {
        const item: unknown = node.items[step];
        node = isNode(item) ? item : undefined;
        offset = startOf(node) ?? offset;
      } else {
        return offset;
      }
    }
    return offset;
  }

  #at(offset: number): Pick<LabIssue, 'file' | 'line' | 'column'> {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? ((node as ParsedNode).range?.[0] ?? undefined) : undefined;
}

/** A value that was left out (`subnet:`) stands nowhere; its key does. */
function valueStart(node: Node | undefined): number | undefined {
  const range = node?.range;
  return range === undefined || range === null || range[0] === range[1] ? undefined : range[0];
}
