/**
 * QEMU's option strings, `first,key=value,key=value`: a comma inside a value is doubled (docs/system/invocation, "Device URL Syntax"
 * and util/qemu-option.c). A key without a value is a flag: `server` means `server=on`, `noserver` means `server=off`.
 */

export interface QemuOption {
  readonly key: string;
  /** Undefined where the key stands alone. */
  readonly value?: string;
}

/** Splits an option string; an empty string has no options. The first word of a `-netdev` is a key without a value. */
export function parseOptionString(text: string): readonly QemuOption[] {
  return splitAtSingleCommas(text).map((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? { key: part } : { key: part.slice(0, equals), value: part.slice(equals + 1) };
  });
}

export function formatOptionString(options: readonly QemuOption[]): string {
  return options
    .map(({ key, value }) => (value === undefined ? key : `${key}=${value.replaceAll(',', ',,')}`))
    .join(',');
}

function splitAtSingleCommas(text: string): readonly string[] {
  if (text === '') return [];
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== ',') {
      part += text[i];
    } else if (text[i + 1] === ',') {
      part += ',';
      i++;
    } else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part];
}
