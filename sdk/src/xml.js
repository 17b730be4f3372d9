// @ts-check
/**
 * Reads the flat XML that S3 answers with, in a browser as in Node.js. It knows elements and text
 * and nothing else, so there is no entity to expand, no document type to fetch and nothing to run:
 * whatever is not understood is not there.
 */

/** A map, because an object would also answer to `&constructor;`. */
const ENTITIES = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', "'"]]);

/**
 * The inner XML of every element of that name. Elements of one name must not nest, as S3's don't.
 * @param {string} xml
 * @param {string} name
 * @returns {string[]}
 */
export function elements(xml, name) {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>([^]*?)</${name}\\s*>)`, 'g');
  return Array.from(xml.matchAll(pattern), (match) => match[1] ?? '');
}

/**
 * The text of the first element of that name.
 * @param {string} xml
 * @param {string} name
 * @returns {string | undefined}
 */
export function text(xml, name) {
  const [first] = elements(xml, name);
  return first === undefined ? undefined : unescape(first);
}

/** @param {string} escaped */
function unescape(escaped) {
  return escaped.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name) return ENTITIES.get(name) ?? whole;
    const point = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
