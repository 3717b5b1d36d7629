// The words of the language. BIRD has one lexer for configuration, filters and the control socket, and up to 2.0.12 no
// name can be a word that any of them knows; which words those are was asked of the daemons, attributes and enum
// constants aside, which have tables of their own. Later versions of 2.x take them as names: a word that is defined is
// the name alone to the end of its scope (`TokenReader.expectNewName`).

import type { Dialect } from './lexer.ts';

/** Words that mean something in a statement or term wherever they stand. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  'if',
  'then',
  'else',
  'case',
  'for',
  'in',
  'do',
  'return',
  'accept',
  'reject',
  'error',
  'print',
  'printn',
  'unset',
  'true',
  'false',
  'filter',
  'function',
  'where',
  'define',
  'on',
  'off',
  'yes',
  'no',
  'all',
  'none',
  'protocol',
  'template',
  'table',
  'import',
  'export',
  'eval',
]);

/** The words that BIRD of this generation has for itself. */
export function keywordsOf(dialect: Dialect): ReadonlySet<string> {
  return KEYWORDS[dialect];
}

const KEYWORDS_OF_BOTH = `
  accept action add address administrative advertise after algorithm all allow always area as as4 attributes
  auth authentication aware base bcast bfd bgp bgpmask bgppath blackhole block bool broadcast buffer bug
  capabilities case cease change check class client clist cluster collision commands communities configuration
  configure confirm connect connection contains cost cost2 count cryptographic dead debug deconfigured default
  define defined delay delete description deterministic dev device direct disable disabled down drop dscp dump
  ec echo eclist ecmp eligible else empty enable error eval events export extended external false fatal
  filename filter filtered filters first flush for forget function garbage gateway generate generic global
  graceful hello hidden hit hmac hold hop horizon id idle if ignore igp import in infinity info instance int
  interface interfaces interpret interval ip ipv4 iso keep keepalive kernel keyed large last
  last_nonaggregated latency lc lclist learn len length limit link lived lladdr local log long lsa lsadb lsid
  mask match max md5 med memory merge messages meticulous metric min missing mode mrt mrtdump ms multicast
  multihop multiplier name nbma neighbor neighbors netmask networks next no noexport nonbroadcast none normal
  nssa of off older on only ospf out packets pair passive password passwords path paths period persist pipe
  plaintext pointomultipoint pointopoint poison poll port preexport prefer prefix prepend primary print printn
  priority prohibit protocol protocols ptmp ptp quad real receive recursive refresh reject rejected reload
  remote reset resources restart restrict retransmit retry return reverse rfc1583compat rip ro roa_check route
  router routes rr rs rt rx s scan secondary security self sessions set setkey sha1 sha256 sha384 sha512 short
  show shutdown simple sockets soft sorted split stability stale start startup state states static stats
  status stderr strict string stub stubnet summary suppression symbols syslog table tag template then tick
  time timeformat timeout to topology trace translator transmit true ttl tx type undo unknown unreachable
  unset update us version via virtual vrf wait warn warning watchdog where yes zero
`;

const KEYWORDS_16 = `
  dual listen multipath old opaque peer quitbird roa transparent v6only weight
`;

const KEYWORDS_2 = `
  aigp asn attribute autonomous babel bind bird blake2b256 blake2b512 blake2s128 blake2s256 bt_assert
  bt_check_assign bt_test_same bt_test_suite by channels circuit code confederation config current data data1
  data2 demand digits dnssl do domain dont_fragment dport dst dynamic ebgp enforce entries exit exp expire
  exported first_fragment flags flow4 flow6 format fragment free gc header help high hostname ibgp icmp
  internal ipv4_mc ipv4_mpls ipv6 ipv6_mc ipv6_mpls ipv6_sadr is_fragment is_v4 is_v6 key label last_fragment
  lifetime linger low mac managed mandatory maxlen medium member mpls mtu mult netlink ng ns offset originate
  other pe perf permissive preferred pri private propagate public quit ra radv randomize range rd rdnss
  reachable repeat require retrans rfc5838 roa4 roa6 roles rpki rxcost sadr sec sensitive sets settle skip
  solicited sport src ssh tcp threshold timer transport trie trigger unicast user v2 v3 valid validate vpn
  vpn4 vpn4_mc vpn4_mpls vpn6 vpn6_mc vpn6_mpls wired wireless
`;

const KEYWORDS: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  '1.6': wordsOf(KEYWORDS_OF_BOTH, KEYWORDS_16),
  '2.x': wordsOf(KEYWORDS_OF_BOTH, KEYWORDS_2),
};

function wordsOf(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.trim().split(/\s+/)));
}
