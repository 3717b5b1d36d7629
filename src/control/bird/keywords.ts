// Words that BIRD 2's parser knows: its complaints call them by their own names, any other word by what it is. Found
// by asking a running daemon about each.

const KEYWORDS: ReadonlySet<string> = new Set(
  `accept add address advertise after aigp all allow always area as as4 asn attribute attributes auth
authentication babel base bfd bgp bgp_local_pref bgp_med bgpmask bgppath bind blackhole bool bt_assert buffer bug
capabilities case cease channels check client clist cluster commands communities confederation configure confirm
connect contains cost count data data1 data2 debug default define defined delay delete description dest
deterministic device digits direct disable disabled down dump dynamic ec echo eclist else empty enable enforce
entries error eval events exit expire export exported extended false fatal filename filter filtered filters first
flow4 flow6 flush for forget format free from function gateway generic graceful gw hello help hold hop hostname id if
ifindex ifname ignore igp import in info int interface interfaces interpret ip ipv4 ipv6 is_v4 iso keep keepalive
kernel last latency lc lclist learn len length limit link lived lladdr local log long lsadb mandatory mask max
maxlen med member memory merge messages metric min missing mode mpls mrt mrtdump ms multihop name neighbor neighbors
net netlink next no noexport nssa of off older on onlink ospf packets pair passive password path paths peer perf
period persist pipe port preexport prefer preference prefix prepend primary print printn prohibit protocol protocols
quad quit radv range rd receive recursive refresh reject reload remote require reset resources restart restrict
retry return rip ro roa_check role roles route router routes rpki rr rs rt rx s sadr scan scope secondary security
self sessions set setkey sets short show sockets soft source stale start startup state states static stats status
stderr strict string stub summary symbols syslog table template then time timeformat timeout to topology trace
transport true ttl tx type undo unreachable unset us validate version via vpn4 vpn6 vrf wait warning watchdog weight
where yes zero`.split(/\s+/),
);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word);
}
