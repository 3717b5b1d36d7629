// A BGP peer that never stops changing its mind, for labs: it dials, announces, and then announces with other communities
// and withdraws, all the time, cutting its messages anywhere. On SIGHUP it makes up its mind: everything once more with the
// last community, the second half of what it flaps withdrawn. It says `up`, `final`, and, should that happen, `closed`.
//
//   node churn-peer.mjs SPEAKER OWN_ADDRESS OWN_AS STABLE FLAPPING LAST

import { connect } from 'node:net';

const [speaker, own, as, stable, flapping, last] = process.argv.slice(2);
const ADDRESS = own.split('.').map(Number);
const TICK_MS = 5;
const PER_TICK = 40;
const KEEPALIVE_MS = 3000;
const TYPE = { open: 1, update: 2, notification: 3, keepalive: 4 };

const uint16 = (value) => [value >> 8, value & 255];
const uint32 = (value) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const message = (type, body) =>
  Buffer.from([...new Array(16).fill(255), ...uint16(19 + body.length), type, ...body]);
const attribute = (flags, type, value) => [flags, type, value.length, ...value];
/** Stable ones are in 10.50, flapping ones in 10.60. */
const prefix = (second, i) => [24, 10, second, i & 255];
const prefixes = (second, from, to) =>
  Array.from({ length: to - from }, (_, i) => prefix(second + ((from + i) >> 8), from + i));

/** With the community AS:`value`. */
function announce(nlri, value) {
  const attributes = [
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, [2, 1, ...uint32(Number(as))]),
    ...attribute(0x40, 3, ADDRESS),
    ...attribute(0xc0, 8, [...uint16(Number(as)), ...uint16(value)]),
  ];
  return message(TYPE.update, [0, 0, ...uint16(attributes.length), ...attributes, ...nlri.flat()]);
}

function withdraw(nlri) {
  const octets = nlri.flat();
  return message(TYPE.update, [...uint16(octets.length), ...octets, 0, 0]);
}

const socket = connect({ host: speaker, port: 179, localAddress: own });
socket.setNoDelay(true);
/** The end of the last message, for the next write. */
let held = Buffer.alloc(0);
let churns;

function send(messages, whole = false) {
  const octets = Buffer.concat([held, ...messages]);
  const end = whole ? octets.length : Math.floor(Math.random() * octets.length);
  held = octets.subarray(end);
  socket.write(octets.subarray(0, end));
}

function tick() {
  if (socket.writableLength > 1 << 16) return;
  const messages = [];
  for (let i = 0; i < PER_TICK; i++) {
    const at = Math.floor(Math.random() * Number(stable));
    messages.push(announce(prefixes(50, at, at + 1), Math.floor(Math.random() * 1000)));
  }
  const at = Math.floor(Math.random() * Number(flapping));
  const one = prefixes(60, at, at + 1);
  messages.push(Math.random() < 0.5 ? withdraw(one) : announce(one, 1));
  send(messages);
}

function everything() {
  const messages = [];
  for (let i = 0; i < Number(stable); i += 200) {
    messages.push(announce(prefixes(50, i, Math.min(Number(stable), i + 200)), Number(last)));
  }
  return messages;
}

socket.on('connect', () => {
  const capability = [65, 4, ...uint32(Number(as))];
  socket.write(
    message(TYPE.open, [4, ...uint16(Number(as)), ...uint16(30), ...ADDRESS, 8, 2, 6, ...capability]),
  );
});
let received = Buffer.alloc(0);
socket.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  while (received.length >= 19 && received.length >= received.readUInt16BE(16)) {
    const type = received[18];
    if (type === TYPE.open) {
      socket.write(message(TYPE.keepalive, []));
      setInterval(() => send([message(TYPE.keepalive, [])], true), KEEPALIVE_MS);
    } else if (type === TYPE.keepalive && churns === undefined) {
      console.log('up');
      send(everything(), true);
      churns = setInterval(tick, TICK_MS);
    } else if (type === TYPE.notification) {
      console.log('notification', received[19], received[20]);
    }
    received = received.subarray(received.readUInt16BE(16));
  }
});
socket.on('error', (error) => console.log('error', error.code));
socket.on('close', () => {
  console.log('closed');
  process.exit(1);
});
process.on('SIGHUP', () => {
  clearInterval(churns);
  const half = Number(flapping) / 2;
  const words = [
    announce(prefixes(60, 0, half), Number(last)),
    withdraw(prefixes(60, half, Number(flapping))),
  ];
  send([...everything(), ...words], true);
  console.log('final');
});
