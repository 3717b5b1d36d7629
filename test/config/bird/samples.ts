// Configurations in the style of BIRD's documentation, every protocol and option once, written for these tests.
// `bird`: what the installed BIRD says of them (2.0.12, 1.6.8 where it is there); `newer`: options of later 2.x.

import type { Dialect } from '../../../src/policy/lexer.ts';
import { FILTERS_2, FILTERS_16 } from './filter-samples.ts';

export interface Sample {
  readonly name: string;
  readonly dialect: Dialect;
  readonly text: string;
  /** BIRD 2.0.12 does not have it yet. */
  readonly newer?: true;
}

const BGP_2 = `
router id 10.0.0.1;
define MYAS = 64512;
define PEER = 10.0.0.9;
ipv4 table customers sorted;
filter transit_in { if net ~ [ 10.0.0.0/8+ ] then reject; bgp_local_pref = 150; accept; }
function is_ours() { return net ~ 192.0.2.0/24; }
template bgp upstream {
  description "an upstream";
  local as MYAS;
  hold time 90; min hold time 30; startup hold time 60; keepalive time 30; min keepalive time 10;
  connect delay time 2; connect retry time 15; error wait time 5, 60; error forget time 100;
  disable after error off; disable after cease { prefix limit hit, administrative shutdown };
  graceful restart on; graceful restart time 200;
  long lived graceful restart aware; long lived stale time 1000;
  enable route refresh; enable as4; enable extended messages on; advertise hostname; capabilities;
  path metric; med metric off; igp metric; prefer older; deterministic med;
  default bgp_med 10; default bgp_local_pref 120;
  interpret communities; allow local as 2; allow bgp_local_pref; enforce first as;
  ipv4 { import filter transit_in; export where is_ours(); import limit 1000 action restart; };
}
protocol bgp up1 from upstream {
  neighbor 10.0.0.2 port 1179 as 64501;
  source address 10.0.0.1;
  password "not to be seen";
  ttl security; multihop 3;
  bfd { interval 200 ms; multiplier 4; };
  local role customer; require roles;
  ipv4 { receive limit 2000 action block; export limit 10 action warn; add paths rx; next hop self ebgp; };
}
protocol bgp up2 from upstream {
  neighbor PEER as (64500 + 2);
  direct; check link; passive;
  local port 1180;
  ipv4 { add paths; secondary off; mandatory; aigp; next hop address 10.0.0.1; gateway direct; };
  ipv6 { import all; export none; extended next hop; next hop prefer global; missing lladdr ignore; };
}
protocol bgp client1 {
  local 10.0.0.1 as MYAS;
  neighbor 10.0.0.3 internal;
  rr client; rr cluster id 10.0.0.1;
  bfd graceful;
  ipv4 { import table; export table; next hop keep; import keep filtered; gateway recursive; igp table master4; cost 10; };
  ipv4 multicast { import all; export all; };
}
protocol bgp ll { local as MYAS; neighbor fe80::2%eth0 as 64600; ipv6 { import all; export all; }; }
protocol bgp range1 {
  local as MYAS; neighbor range 10.1.0.0/16 external; dynamic name "node"; dynamic name digits 3;
  strict bind; source address 10.0.0.1; free bind;
  rs client; interface "eth1"; confederation 65000; confederation member;
  ipv4 { table customers; import none; export all; secondary; preference 90; rpki reload off; debug { states, routes }; };
}
`;

const INFRASTRUCTURE_2 = `
log "/dev/null" all;
log syslog name "router" { info, warning, error };
log stderr { debug, trace, remote, auth, fatal, bug };
debug protocols { states, interfaces };
debug channels off;
debug commands 1;
debug latency on; debug latency limit 3 s;
watchdog warning 4 s; watchdog timeout 30 s;
mrtdump "/tmp/none.mrt"; mrtdump protocols { states };
router id from "lo", -10.0.0.0/8, "eth*" 192.0.2.0/24;
hostname "rr1";
graceful restart wait 100;
timeformat route iso long ms;
timeformat protocol iso short;
timeformat base "%F" 3600 "%T";
timeformat log "%F %T.%3f";
eval 1 + 2;
attribute int mark;
ipv4 table t4 { sorted off; trie; gc threshold 500; gc period 10 s; min settle time 1 s; max settle time 20 s; };
ipv6 table t6;
roa4 table r4;
roa6 table r6;
protocol device { scan time 5; interface "eth*", -"eth9" { preferred 10.0.0.1; preferred 2001:db8::1; }; }
protocol direct { ipv4; ipv6 { table t6; }; interface "eth*" 10.0.0.0/8, -"cali*", "*"; check link; }
protocol kernel k4 {
  learn; persist; scan time 20; kernel table 100; metric 64; graceful restart; merge paths on limit 8;
  netlink rx buffer 100000;
  ipv4 { import all; export all; };
}
protocol kernel k6 { ipv6 { export where source = RTS_BGP; }; debug all; disabled; }
protocol pipe p1 { table master4; peer table t4; import all; export where net ~ 10.0.0.0/8; import limit 100; }
protocol bfd {
  accept ipv4 direct;
  strict bind;
  interface "eth*" { min rx interval 20 ms; min tx interval 50 ms; idle tx interval 300 ms; multiplier 10; passive; };
  interface "wan" { authentication meticulous keyed sha1; password "bfd secret" { id 7; accept from "2020-01-01"; }; };
  multihop { interval 200 ms; };
  neighbor 10.0.0.3;
  neighbor 10.9.0.3 local 10.0.0.1 multihop on;
  neighbor 10.0.0.4 dev "eth0";
}
protocol mrt { table "master*"; where source = RTS_BGP; filename "/tmp/%N.mrt"; period 300; always add path; }
protocol rpki cache {
  roa4 { table r4; }; roa6 { table r6; };
  remote "cache.example.net" port 8282;
  retry keep 90; refresh 900; expire keep 172800; ignore max length;
  transport ssh { bird private key "/k"; remote public key "/p"; user "bird"; };
}
`;

const STATIC_2 = `
roa4 table r4;
define GW = 10.0.0.2;
protocol static s4 {
  ipv4 { import all; preference 210; };
  check link;
  igp table master4;
  route 192.0.2.0/24 blackhole;
  route 198.51.100.0/24 unreachable { bgp_med = 5; bgp_community.add((64512, 1)); };
  route 203.0.113.0/24 prohibit;
  route 10.1.0.0/16 via GW;
  route 10.2.0.0/16 via "eth0";
  route 10.3.0.0/16 via 10.0.0.2 weight 2 onlink via 10.0.0.3 bfd on;
  route 10.4.0.0/16 recursive 10.9.9.9;
  route 10.5.0.0/16 via fe80::1%eth0;
  route 10.6.0.0/16 via 10.0.0.2 mpls 100/200;
}
protocol static { ipv6; route 2001:db8::/32 via 2001:db8:f::1; route ::/0 unreachable; }
protocol static roas { roa4; route 192.0.2.0/24 max 25 as 64512; }
`;

const NEWER_2 = `
cli "/run/bird.restricted" { restrict; };
threads 2;
debug tables all;
aspa table providers;
protocol device { }
protocol bgp x {
  local as 64512; neighbor 10.0.0.2 as 64513; interface "eth0"; onlink;
  send hold time 300; enable enhanced route refresh; require route refresh; require graceful restart off;
  min graceful restart time 10; max graceful restart time 100; allow bgp_med; allow as sets; disable rx off;
  authentication ao;
  keys { key { id 1; secret "a"; algorithm hmac sha1; preferred; }; key { send id 2; recv id 3; secret "b"; deprecated; }; };
  ipv4 { import all; export all; require add paths; link local next hop format native; next hop prefer local;
    min long lived stale time 1; max long lived stale time 2; };
}
protocol bmp { station address ip 10.0.0.9 port 1790; system name "x"; system description "y";
  monitoring rib in pre_policy; monitoring rib in post_policy off; tx buffer limit 1000; }
protocol static { aspa; route aspa 64512 providers 64513, 64514; route aspa 64515 transit; }
protocol kernel { ipv4 { export all; }; learn all; }
`;

const OTHERS_2 = `
protocol device { }
protocol ospf v2 area0 { ipv4 { import all; }; area 0 { interface "eth0" { cost 5; }; }; }
protocol rip ng { ipv6; interface "*"; }
protocol babel { ipv4; interface "eth*" { type wired; }; }
protocol radv { interface "eth0" { max ra interval 5; }; }
`;

const BGP_16 = `
router id 10.0.0.1;
listen bgp address 10.0.0.1 port 1179;
table other sorted;
roa table roas { roa 192.0.2.0/24 max 25 as 64512; }
filter in1 { if bgp_path ~ [= * 64500 * =] then reject; accept; }
template bgp node {
  description "node"; debug { states, packets }; mrtdump { messages };
  local as 64512;
  gateway recursive; add paths on; graceful restart; graceful restart time 60;
  long lived graceful restart aware; long lived stale time 100;
  connect delay time 2; connect retry time 5; error wait time 5,30; error forget time 60; start delay time 1;
  hold time 90; startup hold time 90; keepalive time 30;
  path metric; med metric; igp metric off; prefer older; deterministic med; default bgp_med 1; default bgp_local_pref 90;
  enable route refresh; enable as4; enable extended messages; capabilities; advertise ipv4; interpret communities;
  disable after error; disable after cease; allow bgp_local_pref; allow local as 1;
  import all; export none; preference 120;
}
protocol bgp a from node { neighbor 10.0.0.2 as 64512; source address 10.0.0.1; rr client; rr cluster id 10.0.0.1;
  import filter in1; export where source = RTS_BGP; import limit 100 action block; receive limit 200; route limit 300; }
protocol bgp b from node { neighbor 10.0.0.3 port 2179 as 64513; multihop 4; ttl security on; passive; password "secret"; next hop self; }
protocol bgp 'c-1.2:3' { local 10.0.0.1 as 64512; neighbor 10.0.0.4 as 64514; direct; next hop keep; missing lladdr ignore;
  interface "eth0"; check link; table other; secondary; igp table master; rs client; import keep filtered; bfd graceful; }
`;

const INFRASTRUCTURE_16 = `
log syslog name "router" all;
log stderr { debug, trace, info, remote, warning, error, auth, fatal, bug };
debug protocols all; debug commands 2; debug latency off; debug latency limit 1 s; watchdog warning 5 s; watchdog timeout 10 s;
mrtdump "/tmp/none"; mrtdump protocols all;
router id from "eth*", 10.0.0.0/8;
graceful restart wait 120;
timeformat base iso long; timeformat log "%T" 3600 "%F";
eval 5 * 3;
define GW = 10.0.0.254;
table t2;
protocol device { scan time 10; primary "eth0" 10.0.0.1; primary 10.0.0.0/8; }
protocol direct { interface -"cali*", "*"; check link; }
protocol kernel { learn; persist; scan time 2; device routes; metric 32; merge paths limit 4; import all; export all; graceful restart; }
protocol kernel k2 { table t2; scan time 2; kernel table 7; export none; disabled; }
protocol static {
  check link; igp table master; import all;
  route 192.0.2.0/24 blackhole; route 198.51.100.0/24 drop; route 203.0.113.0/24 reject; route 10.9.0.0/16 prohibit;
  route 10.1.0.0/16 via GW; route 10.2.0.0/16 via "tun0"; route 10.3.0.0/16 recursive 10.0.0.7;
  route 10.4.0.0/16 multipath via 10.0.0.2 weight 5 via 10.0.0.3 bfd;
  route 10.5.0.0/16 via 10.0.0.2 { bgp_med = 3; };
}
protocol pipe { table master; peer table t2; mode transparent; import all; export all; }
protocol bfd { interface "eth*" { interval 1 s; multiplier 3; passive off; authentication none; password "x" { id 1; }; }; multihop { interval 2 s; }; neighbor 10.0.0.2 local 10.0.0.1 multihop; }
protocol mrt { table "master"; filename "/tmp/x"; period 60; }
`;

export const SAMPLES: readonly Sample[] = [
  { name: 'bgp of 2.x', dialect: '2.x', text: BGP_2 },
  { name: 'infrastructure of 2.x', dialect: '2.x', text: INFRASTRUCTURE_2 },
  { name: 'static routes of 2.x', dialect: '2.x', text: STATIC_2 },
  { name: 'later options of 2.x', dialect: '2.x', text: NEWER_2, newer: true },
  { name: 'protocols that are passed over', dialect: '2.x', text: OTHERS_2 },
  { name: 'filters of 2.x', dialect: '2.x', text: FILTERS_2 },
  { name: 'filters of 1.6', dialect: '1.6', text: FILTERS_16 },
  { name: 'bgp of 1.6', dialect: '1.6', text: BGP_16 },
  { name: 'infrastructure of 1.6', dialect: '1.6', text: INFRASTRUCTURE_16 },
];
