// The whole path as a process meets it that has just started: a thread has its own compiled code, so each run of this
// one starts with none. Posts milliseconds and routes.

import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/lib/clock.ts';
import { type ColdOptions, coldInput } from './input.ts';
import { passThrough } from './micros.ts';

const options: ColdOptions = workerData;
const pass = passThrough(coldInput(options));
const start = systemClock.now();
const routes = pass();
parentPort?.postMessage({ ms: systemClock.now() - start, routes });
