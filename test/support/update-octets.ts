// Octets of UPDATEs that tests look into or change.

/** Puts an attribute behind the others of an UPDATE without withdrawn routes. */
export function withAttribute(message: Uint8Array, attribute: Uint8Array): Uint8Array {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const size = view.getUint16(21);
  const result = new Uint8Array(message.length + attribute.length);
  result.set(message.subarray(0, 23 + size));
  result.set(attribute, 23 + size);
  result.set(message.subarray(23 + size), 23 + size + attribute.length);
  const out = new DataView(result.buffer);
  out.setUint16(16, result.length);
  out.setUint16(21, size + attribute.length);
  return result;
}

/** Attribute types in the order of an UPDATE. */
export function attributeTypes(message: Uint8Array): number[] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  let at = 23 + view.getUint16(19);
  const end = at + view.getUint16(at - 2);
  const types: number[] = [];
  while (at < end) {
    types.push(message[at + 1]!);
    const long = (message[at]! & 0x10) !== 0;
    at += long ? 4 + view.getUint16(at + 2) : 3 + message[at + 2]!;
  }
  return types;
}
