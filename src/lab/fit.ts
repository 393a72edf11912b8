/**
 * Values become what their places want: a variable's text a number or a truth value, and the name of a file, which is meant from where the
 * file that says it lies, one that is meant from where the lab file lies.
 */
import { z } from 'zod';
import { inFolder } from './file-name.ts';
import { fileNames } from './schema-values.ts';
import { FilledText } from './variables.ts';
import type { Written } from './written.ts';

/** `schemas`: the value shall satisfy one of them. */
export function fitted(written: Written, schemas: readonly z.core.$ZodType[]): Written {
  const forms = schemas.flatMap(formsOf);
  const { document, items, entries } = written;
  const inside = (key: string | number) => forms.flatMap((form) => partOf(form, String(key)));
  if (items !== undefined) return { ...written, items: items.map((item, i) => fitted(item, inside(i))) };
  if (entries !== undefined) {
    const parts = [...entries].map(([key, entry]) => [key, fitted(entry, inside(key))] as const);
    return { ...written, entries: new Map(parts) };
  }
  const value = written.value instanceof FilledText ? typed(written.value.text, forms) : written.value;
  const isMoved = document.folder !== '' && typeof value === 'string' && forms.some((form) => fileNames.has(form));
  return { ...written, value: isMoved ? inFolder(document.folder, value) : value };
}

/** A text, but where numbers or truth values can stand and it reads as one. */
function typed(text: string, forms: readonly z.core.$ZodType[]): string | number | boolean {
  const wants = (type: 'boolean' | 'number') => forms.some((form) => typesOf(form).includes(type));
  if (wants('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return wants('number') && /^[-+]?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function typesOf(form: z.core.$ZodType): readonly string[] {
  if (form instanceof z.ZodLiteral) return [...form.values].map((value) => typeof value);
  return form instanceof z.ZodNumber ? ['number'] : form instanceof z.ZodBoolean ? ['boolean'] : [];
}

/** The schema itself, or those that it offers. */
function formsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return formsOf(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(formsOf);
  return [schema];
}

function partOf(form: z.core.$ZodType, key: string): readonly z.core.$ZodType[] {
  if (form instanceof z.ZodObject) return Object.hasOwn(form.shape, key) ? [form.shape[key]!] : [];
  if (form instanceof z.ZodRecord) return [form.valueType];
  return form instanceof z.ZodArray ? [form.element] : [];
}
