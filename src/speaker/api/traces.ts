// What can be asked for of protocols: words of `debug` and `mrtdump`.

export { DEBUG_FLAGS, MRTDUMP_FLAGS } from '../../config/bird/trace-flags.ts';
