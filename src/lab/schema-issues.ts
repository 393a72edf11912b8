/** Reads plain data by the schema: every issue at once, and what is sound in a lab that has some, so that it can be checked further. */
import type { z } from 'zod';
import type { IssuePath } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import type { Finding } from './issue.ts';
import type { LabFile } from './schema.ts';
import { labSchema } from './schema.ts';

export interface SoundLab {
  /** The lab without its faulty parts; undefined where nothing is left. */
  readonly lab: LabFile | undefined;
  readonly findings: readonly Finding[];
  /** Whether what stands at `path`, or what it is part of, was faulty and is left out of `lab`. */
  isFaulty(path: IssuePath): boolean;
  /** Whether something at `path` or in it was faulty. */
  hasFaultIn(path: IssuePath): boolean;
}

/**
 * `value` is the caller's no longer: faulty parts are removed from it until the rest satisfies the schema. What is `known` to be faulty is
 * not in it.
 */
export function readSoundLab(value: unknown, known: readonly Finding[]): SoundLab {
  const first = labSchema.safeParse(value, { reportInput: true });
  const found = first.success ? [] : first.error.issues.flatMap((issue) => findingsOf(issue));
  const isKnown = ({ path }: Finding) => known.some((fault) => isWithin(path, fault.path));
  const findings = [...known, ...found.filter((finding) => !isKnown(finding))];
  const faults: IssuePath[] = findings.map(({ path }) => path);
  const isFaulty = (path: IssuePath) => faults.some((fault) => isWithin(path, fault));
  const hasFaultIn = (path: IssuePath) => faults.some((fault) => isWithin(fault, path));
  let result = first;
  while (!result.success) {
    for (const { path } of result.error.issues.flatMap((issue) => findingsOf(issue))) {
      const removed = remove(value, path);
      if (removed === undefined) return { lab: undefined, findings, isFaulty, hasFaultIn };
      faults.push(removed);
    }
    // what is missing now is missing because it was removed: no issue of its own
    result = labSchema.safeParse(value, { reportInput: true });
  }
  return { lab: result.data, findings, isFaulty, hasFaultIn };
}

function isWithin(path: IssuePath, whole: IssuePath): boolean {
  return whole.every((step, i) => step === path[i]);
}

function findingsOf(issue: z.core.$ZodIssue, parent: IssuePath = []): readonly Finding[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], key, issue.message.split(' ')));
    case 'invalid_union':
      return (
        branchIssues(issue)?.flatMap((inner) => findingsOf(inner, path)) ?? [finding('wrong-type', path, issue.message)]
      );
    case 'invalid_type':
      if (issue.input === undefined) return [missing(path)];
      return [wrongType(path, issue.expected, issue.input)];
    case 'invalid_value':
      return [finding('bad-value', path, issue.message)];
    case 'too_small':
      if (issue.origin === 'number' || issue.origin === 'int')
        return [finding('out-of-range', path, `must be at least ${issue.minimum}`)];
      return [finding('empty', path, issue.message)];
    case 'too_big':
      return [
        finding('out-of-range', path, `must be at most ${issue.maximum}${issue.origin === 'string' ? ' letters' : ''}`),
      ];
    case 'custom':
      return [finding(String(issue.params?.['code'] ?? 'empty'), path, issue.message)];
    default:
      return [finding('bad-value', path, issue.message)];
  }
}

function finding(code: string, path: IssuePath, text: string): Finding {
  const [message, hint] = text.split('; ', 2);
  return hint === undefined ? { code, path, message: text } : { code, path, message: message!, hint };
}

function missing(path: IssuePath): Finding {
  const key = String(path.at(-1));
  const example = EXAMPLES[key];
  return {
    code: 'missing-key',
    path,
    message: `${key} is missing`,
    ...(example !== undefined && { hint: `write ${example}` }),
  };
}

/** Of every key that cannot be left out. */
const EXAMPLES: Readonly<Record<string, string>> = {
  networks: 'networks: { lan: {} }',
  nodes: 'nodes: { vm: { nics: [lan] } }',
  nics: 'nics: [lan]',
  network: 'network: lan',
  file: 'file: lan.pcapng',
  to: 'to: 10.9.0.0/16',
  via: 'via: 10.0.2.7',
  name: 'name: web',
  interfaces: 'interfaces: [{ network: lan, address: 10.0.2.1 }]',
  address: 'address: 10.0.2.1',
};

function wrongType(path: IssuePath, expected: string, input: unknown): Finding {
  const message = `expected ${TYPE_NAMES[expected] ?? expected}, not ${typeName(input)}`;
  const hint = remedy(expected, input);
  return { code: 'wrong-type', path, message, ...(hint !== undefined && { hint }) };
}

function remedy(expected: string, input: unknown): string | undefined {
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) return 'write it in quotes';
  if (expected === 'boolean') return 'write true or false';
  if (expected === 'array' && typeof input === 'string') return `write [${input}]`;
  if ((expected === 'object' || expected === 'record') && input === null) return 'write {} for an empty one';
  return undefined;
}

function unknownKey(path: IssuePath, key: string, known: readonly string[]): Finding {
  const meant = nearestWord(key, known);
  const hint = meant === undefined ? `here can stand ${known.join(', ')}` : `did you mean ${meant}?`;
  return { code: 'unknown-key', path, message: `there is no key ${JSON.stringify(key)} here`, hint, isAboutKey: true };
}

/** The issues of the alternative that was meant: the one whose own type fits. */
function branchIssues(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  return issue.errors.find(
    (branch) =>
      !branch.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')),
  );
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function typeName(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return (
    { string: 'text', number: 'a number', boolean: 'true or false', object: 'a mapping' }[typeof value as string] ??
    typeof value
  );
}

/**
 * Takes the faulty part out of the plain data, and what is a mapping no longer for what it lacks; undefined where that would be everything.
 * A list keeps a hole, and the lab gets an empty mapping for a section that it lacks.
 */
function remove(root: unknown, path: IssuePath): IssuePath | undefined {
  const step = path.at(-1);
  if (step === undefined) return undefined;
  const parent = path.slice(0, -1);
  const container = parent.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[String(key)],
    root,
  );
  if (container === undefined) return path;
  if (Array.isArray(container) && typeof step === 'number') {
    container[step] = undefined;
    return path;
  }
  if (container === null || typeof container !== 'object') return remove(root, parent);
  const mapping = container as Record<string, unknown>;
  if (Object.hasOwn(mapping, step)) delete mapping[step];
  else if (parent.length === 0) mapping[step] = {};
  else return remove(root, parent);
  return path;
}
