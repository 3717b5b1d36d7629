// What the program before and the program after a live upgrade agree on, and what must not load anything else.

/** First word of the command line that asks a program whether it could go on. */
export const REHEARSAL = '__handover';
/** `STATE:SOCKET,SOCKET...`, all of them descriptors. */
export const HANDOVER_VARIABLE = 'GODWIT_HANDOVER';
