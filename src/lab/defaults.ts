/** What entries of a lab have that do not say otherwise: `defaults:` lies under each network, node, card and link. */
import type { Written } from './written.ts';
import { mapEntries, overlay } from './written.ts';

export function withDefaults(lab: Written): Written {
  const defaults = lab.entries?.get('defaults')?.entries;
  if (defaults === undefined) return lab;
  return mapEntries(lab, (section, name) => {
    if (name === 'networks') return mapEntries(section, (entry) => overlay(defaults.get('network'), entry));
    if (name === 'links') return mapEntries(section, (entry) => overlay(defaults.get('link'), entry));
    if (name === 'nodes')
      return mapEntries(section, (entry) => withCards(overlay(defaults.get('node'), entry), defaults.get('nic')));
    return section;
  });
}

function withCards(node: Written, lower: Written | undefined): Written {
  if (lower === undefined) return node;
  return mapEntries(node, (section, name) => {
    if (name !== 'nics' || section.items === undefined) return section;
    return { ...section, items: section.items.map((card) => overlay(lower, asMapping(card))) };
  });
}

/** `lan` is short for `{ network: lan }`. */
function asMapping(card: Written): Written {
  if (typeof card.value !== 'string') return card;
  return { document: card.document, path: card.path, entries: new Map([['network', card]]) };
}
