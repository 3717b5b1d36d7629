// What Node's sockets are made of, where Node has no call that tells: the handle behind one, and its descriptor.

/** Undefined where it is closed. */
export function handleOf(socket: object): object | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}

/** Undefined where it is closed. */
export function descriptorOf(socket: object): number | undefined {
  const handle = handleOf(socket);
  const fd: unknown = handle === undefined ? undefined : Reflect.get(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
