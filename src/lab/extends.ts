/**
 * A lab and the files that it extends, laid over each other: of several files the later lies above, and the file that extends them on top.
 * A name of a file is meant from the folder of the file that says it.
 */
import type { IssuePath } from '../base/issue.ts';
import { LabDocument } from './document.ts';
import { folderOf, inFolder, samePath } from './file-name.ts';
import type { LabIssue } from './issue.ts';
import type { LabSurroundings } from './surroundings.ts';
import { FaultyText, FilledText } from './variables.ts';
import type { Written } from './written.ts';
import { overlay, writtenOf } from './written.ts';

/** How many files a lab may extend, and they others, in all. */
const MAX_FILES = 64;

/** `lab` is undefined where a file, or what it extends, could not be read: what is missing then is not known. */
export function readLayers(
  text: string,
  file: string,
  surroundings: LabSurroundings,
): { readonly lab: Written | undefined; readonly issues: readonly LabIssue[] } {
  const reading = new LayerReading(surroundings);
  const lab = reading.layers(new LabDocument(text, file, '', surroundings.variable), [file]);
  return { lab: reading.isWhole ? lab : undefined, issues: reading.issues };
}

class LayerReading {
  readonly issues: LabIssue[] = [];
  isWhole = true;
  readonly #surroundings: LabSurroundings;
  #files = 0;

  constructor(surroundings: LabSurroundings) {
    this.#surroundings = surroundings;
  }

  /** `line`: the files that lead here, this one last. */
  layers(document: LabDocument, line: readonly string[]): Written {
    this.issues.push(...document.issues);
    if (document.value === undefined) this.isWhole = false;
    const top = writtenOf(document);
    if (line.length > 1 && top.entries === undefined)
      this.#refuse(top, [], 'wrong-type', 'expected a mapping', 'write a lab, or a part of one');
    const names = top.entries?.get('extends');
    if (names === undefined) return top;
    const own = { ...top, entries: new Map([...top.entries!].filter(([key]) => key !== 'extends')) };
    const layers = this.#namesIn(names).flatMap((name) => this.#open(name, line) ?? []);
    return [...layers, own].reduce((lower, upper) => overlay(lower, upper));
  }

  #namesIn(names: Written): readonly Written[] {
    return (names.items ?? [names]).filter((name) => {
      const { value } = name;
      if (value instanceof FaultyText)
        this.#refuse(name, name.path, value.fault.code, value.fault.message, value.fault.hint);
      else if (textOf(name) === '')
        this.#refuse(name, name.path, 'wrong-type', 'expected a file or a list of files', 'write base.yaml');
      else return true;
      return false;
    });
  }

  #open(name: Written, line: readonly string[]): Written | undefined {
    const { document, path } = name;
    const said = textOf(name);
    const file = inFolder(folderOf(document.file), said);
    const begin = line.findIndex((other) => samePath(other, file));
    if (begin >= 0) {
      const way = [...line.slice(begin), file].join(' extends ');
      return this.#refuse(
        name,
        path,
        'extends-cycle',
        `this leads back: ${way}`,
        'take it out here, or from one of the others',
      );
    }
    this.#files++;
    if (this.#files > MAX_FILES) {
      if (this.#files > MAX_FILES + 1) return undefined;
      return this.#refuse(
        name,
        path,
        'extends-too-much',
        `these are more than ${MAX_FILES} files`,
        'put some of them together',
      );
    }
    const read = this.#surroundings.read(file);
    if ('fault' in read)
      return this.#refuse(
        name,
        path,
        'cannot-read',
        `${file} cannot be read: ${read.fault}`,
        'name another, which is meant from where this file lies',
      );
    const folder = folderOf(inFolder(document.folder, said));
    return this.layers(new LabDocument(read.text, file, folder, this.#surroundings.variable), [...line, file]);
  }

  #refuse({ document }: Written, path: IssuePath, code: string, message: string, hint = ''): undefined {
    this.issues.push(document.locate({ code, path, message, hint }));
    this.isWhole = false;
  }
}

function textOf({ value }: Written): string {
  if (value instanceof FilledText) return value.text;
  return typeof value === 'string' ? value : '';
}
