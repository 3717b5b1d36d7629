// The door to canonical attribute sets for the layers above: finding and editing octets, and readable values. How
// a set is made from a message is canonical.ts's business, how it gets back into one outgoing-attributes.ts's.

export {
  AttributeEditor,
  attributeEnd,
  findAttribute,
  valueLength,
  valueStart,
} from './attribute-editor.ts';
export {
  type AttributeValues,
  aigpMetric,
  decodeAttributes,
  emptyAttributeValues,
  encodeAigp,
  encodeAttributes,
} from './attribute-values.ts';
