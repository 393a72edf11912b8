/** Plain data in which each part knows where it was written, so that several files become one lab. */
import type { IssuePath } from '../base/issue.ts';
import type { LabDocument } from './document.ts';
import type { Finding, LabIssue } from './issue.ts';
import { FaultyText, FilledText } from './variables.ts';

export interface Written {
  readonly document: LabDocument;
  /** Where in the document. */
  readonly path: IssuePath;
  /** Of a mapping, or else of a list, or else the value. */
  readonly entries?: ReadonlyMap<string, Written>;
  readonly items?: readonly Written[];
  readonly value?: unknown;
}

/** The whole of a document. */
export function writtenOf(document: LabDocument, value: unknown = document.value ?? {}, path: IssuePath = []): Written {
  if (Array.isArray(value))
    return { document, path, items: value.map((item, i) => writtenOf(document, item, [...path, i])) };
  if (value === null || typeof value !== 'object' || isText(value)) return { document, path, value };
  const entries = Object.entries(value).map(([key, part]) => [key, writtenOf(document, part, [...path, key])] as const);
  return { document, path, entries: new Map(entries) };
}

function isText(value: object): boolean {
  return value instanceof FilledText || value instanceof FaultyText;
}

/** `upper` laid over `lower`: mappings are merged, null takes away what lies below, anything else replaces it. RFC 7396, 2. */
export function overlay(lower: Written | undefined, upper: Written): Written {
  if (lower?.entries === undefined || upper.entries === undefined) return upper;
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    if (entry.value === null && entries.has(key)) entries.delete(key);
    else entries.set(key, overlay(entries.get(key), entry));
  }
  return { ...upper, entries };
}

/** The same with each entry of a mapping changed. */
export function mapEntries(written: Written, change: (entry: Written, key: string) => Written): Written {
  if (written.entries === undefined) return written;
  return { ...written, entries: new Map([...written.entries].map(([key, entry]) => [key, change(entry, key)])) };
}

/** Data that is the caller's own; a faulty value is left out, or leaves a hole in its list. */
export function plainOf({ entries, items, value }: Written): unknown {
  if (items !== undefined) return items.map(plainOf);
  if (entries === undefined) return value instanceof FaultyText ? undefined : value;
  const sound = [...entries].filter(([, entry]) => !(entry.value instanceof FaultyText));
  return Object.fromEntries(sound.map(([key, entry]) => [key, plainOf(entry)]));
}

/** The values whose variables could not be filled in. */
export function faultsIn({ entries, items, value }: Written, path: IssuePath = []): readonly Finding[] {
  if (value instanceof FaultyText) return [{ ...value.fault, path }];
  const parts = items?.map((item, i) => [i, item] as const) ?? [...(entries ?? [])];
  return parts.flatMap(([step, part]) => faultsIn(part, [...path, step]));
}

/** Puts file, line and column to what was found: where it, or the innermost part around it, was written. */
export function locate(root: Written, finding: Finding): LabIssue {
  let part = root;
  let depth = 0;
  for (; depth < finding.path.length; depth++) {
    const step = finding.path[depth]!;
    const inner = typeof step === 'number' ? part.items?.[step] : part.entries?.get(step);
    if (inner === undefined) break;
    part = inner;
  }
  const { document, path } = part;
  return { ...document.locate({ ...finding, path: [...path, ...finding.path.slice(depth)] }), path: finding.path };
}
