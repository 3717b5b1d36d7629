// Filters for the tests of verdicts: what the language has, once in each dialect. All were written for these tests.

export const FILTERS_2 = `
protocol device { }
define one = 1; define two = one + 1; define pfx = [ 10.0.0.0/8+, 192.168.0.0/16{24,32}, 172.16.0.0/12-, 1.2.3.0/24 ];
define asns = [ 64512..65534, 4200000000..4294967294, one, (two + 1) ]; define comms = [ (65000, 1), (65000, *), (1..5, 4..6), (1,2)..(3,4) ];
define lcs = [ (65000, 1, 2), (65000, 1, *), (65000, *, *) ]; define ecs = [ (rt, 65000, 1..5), (ro, 5, *), (unknown 0x4300, 5, 5), (generic, 0x43000000, 0x1) ];
define gw4 = 10.0.0.1; define gw6 = 2001:db8::1; define txt = "hello"; define yes1 = true; define lcc = (1, 2, 3); define ips = [ 10.0.0.1, 10.0.0.5..10.0.0.9 ];
function is_bogon() { return net ~ pfx; }
function checked(int a; prefix p; bool b) int c; int d; { c = a + 3; d = c * 2 / one; if b then return p.len > d; return p ~ pfx && ! (net.len < 8) || net.ip = 10.0.0.0; }
function nothing() { }
function walk(bgppath p) { for int as1 in p do { if as1 ~ asns then return true; } for int a2 in bgp_path do print a2; return false; }
filter transit {
  if is_bogon() then reject "bogon ", net;
  if checked(3, net, true) then { accept; } else reject;
  if bgp_path ~ [= * 64512 ? 65000..65010 [1, 2, 5..9] (two) + =] then { bgp_path.prepend(64512); bgp_path.delete(65000); bgp_path.filter([1..5]); }
  if bgp_path.len > 10 || bgp_path.first != 1 && bgp_path.last = 2 then { print "path: ", bgp_path, bgp_path.last_nonaggregated; printn net, " "; }
  case bgp_path.len { 1, 2..3: accept; 4: bgp_med = 5; print 1; else: bgp_med = bgp_med + 1; reject; }
  case bgp_origin { ORIGIN_IGP: bgp_local_pref = 200; ORIGIN_EGP: bgp_local_pref = 150; else: unset(bgp_local_pref); }
  if (65000, 1) ~ bgp_community || bgp_community ~ comms then bgp_community.delete([(65000, *)]);
  if (rt, 1, 2) ~ bgp_ext_community then { bgp_ext_community.add((ro, 3, 4)); bgp_ext_community.delete(ecs); bgp_ext_community.filter(ecs); }
  if bgp_large_community ~ lcs then { bgp_large_community.add(lcc); bgp_large_community.delete(lcc); bgp_large_community = ---empty---; }
  if defined(bgp_med) && bgp_med !~ [ 5, 6..9 ] then bgp_med = 0;
  if bgp_next_hop.is_v4 then bgp_next_hop = 10.0.0.1;
  if net.type = NET_IP4 then preference = preference - 10;
  if proto ~ "up*" || ifname = "eth0" || ifindex > 3 then gw = 10.0.0.1;
  if source = RTS_BGP || source ~ [ RTS_STATIC, RTS_DEVICE ] then dest = RTD_BLACKHOLE;
  if dest = RTD_UNREACHABLE || scope < SCOPE_SITE then scope = SCOPE_HOST;
  if from ~ 10.0.0.0/8 || gw ~ ips then igp_metric = 5;
  if preference = 3 then reject;
  int x = 5; { int y = x; y = y + 1; print y; }
  ip i = 10.1.2.3; prefix q = 10.0.0.0/24; pair pp = (1, 2); quad qq = 1.2.3.4; lc ll = (1, 2, 3); ec ee = (rt, 1, 2); string ss = "a"; bool bb = x = 5;
  bgppath pa = +empty+; clist cl = -empty-; eclist el = --empty--; lclist le = ---empty---; bgpmask ma = [= 1 2 =]; int set is = [1, 2]; prefix set ps = pfx;
  pa = prepend(pa, 4); cl = add(cl, (1, 2)); el = add(el, ee); le = delete(le, ll); cl = filter(cl, comms); x = pa.len + cl.len; bb = pa ~ ma; 
  if pp.asn = 1 && pp.data = 2 && ll.asn = 1 && ll.data1 = 2 && ll.data2 = 3 then accept;
  if i.mask(24) = 10.1.2.0 && q.len = 24 && q.ip = 10.0.0.0 then accept;
  weight = 5; onlink = true; krt_metric = 5; krt_prefsrc = 10.0.0.1; krt_realm = 3; krt_scope = 2; krt_lock_mtu = true; krt_mtu = 1400; bgp_otc = 5; bgp_originator_id = 1.2.3.4; bgp_cluster_list.add(1.2.3.4);
  nothing(); walk(bgp_path);
  accept "done";
}
filter f2 int a; { a = 3; error; }
`;

export const FILTERS_16 = `
protocol device { }
define one = 1; define two = one + 1; define pfx = [ 10.0.0.0/8+, 192.168.0.0/16{24,32}, 172.16.0.0/12-, 1.2.3.0/24 ];
define asns = [ 64512..65534, 4200000000..4294967294, one, (two + 1) ]; define comms = [ (65000, 1), (65000, *), (1..5, 4..6), (1,2)..(3,4) ];
define lcs = [ (65000, 1, 2), (65000, 1, *), (65000, *, *) ]; define ecs = [ (rt, 65000, 1..5), (ro, 5, *), (unknown 0x4300, 5, 5), (generic, 0x43000000, 0x1) ];
define gw4 = 10.0.0.1; define txt = "hello"; define yes1 = true; define lcc = (1, 2, 3); define ips = [ 10.0.0.1, 10.0.0.5..10.0.0.9 ];
function is_bogon() { return net ~ pfx; }
function checked(int a; prefix p; bool b) int c; int d; { c = a + 3; d = c * 2 / one; if b then return p.len > d; return p ~ pfx && ! (net.len < 8) || net.ip = 10.0.0.0; }
function 'bgp_quoted-name.x:1'() { if (net = 10.0.0.0/8) then { accept; } if ((defined(source))&&(source ~ [ RTS_BGP ])) then { reject; } }
function nothing() { }
filter transit int x; ip i; prefix q; pair pp; quad qq; bgppath pa; clist cl; eclist el; lclist le; bgpmask ma; int set is; prefix set ps; bool bb; string ss; lc ll; ec ee; {
  if is_bogon() then reject "bogon ", net;
  if checked(3, net, true) then { accept; } else reject;
  'bgp_quoted-name.x:1'();
  if bgp_path ~ [= * 64512 ? 65000..65010 (two) =] then { bgp_path.prepend(64512); bgp_path.delete(65000); bgp_path.filter([1..5]); }
  if bgp_path ~ / 1 2 ? 3 / then reject;
  if bgp_path.len > 10 || bgp_path.first != 1 && bgp_path.last = 2 then { print "path: ", bgp_path, bgp_path.last_nonaggregated; printn net, " "; }
  case bgp_path.len { 1, 2..3: accept; 4: bgp_med = 5; print 1; else: bgp_med = bgp_med + 1; reject; }
  if (65000, 1) ~ bgp_community || bgp_community ~ comms then bgp_community.delete([(65000, *)]);
  if (rt, 1, 2) ~ bgp_ext_community then { bgp_ext_community.add((ro, 3, 4)); bgp_ext_community.delete(ecs); bgp_ext_community.filter(ecs); }
  if bgp_large_community ~ lcs then { bgp_large_community.add(lcc); bgp_large_community.delete(lcc); bgp_large_community = ---empty---; }
  if defined(bgp_med) && bgp_med !~ [ 5, 6..9 ] then bgp_med = 0;
  if proto ~ "up*" || ifname = "eth0" || ifindex > 3 then gw = 10.0.0.1;
  if source = RTS_BGP || source ~ [ RTS_STATIC, RTS_DEVICE ] then dest = RTD_BLACKHOLE;
  if dest = RTD_UNREACHABLE || scope < SCOPE_SITE || cast = RTC_UNICAST then scope = SCOPE_HOST;
  x = 5; i = 10.1.2.3; q = 10.0.0.0/24; pp = (1, 2); qq = 1.2.3.4; ll = (1, 2, 3); ee = (rt, 1, 2); ss = "a"; bb = x = 5;
  pa = +empty+; cl = -empty-; el = --empty--; le = ---empty---; ma = [= 1 2 =]; is = [1, 2]; ps = pfx;
  pa = prepend(pa, 4); cl = add(cl, (1, 2)); el = add(el, ee); le = delete(le, ll); cl = filter(cl, comms); x = pa.len + cl.len; bb = pa ~ ma;
  if i.mask(24) = 10.1.2.0 && q.len = 24 && q.ip = 10.0.0.0 then accept;
  krt_metric = 5; krt_prefsrc = 10.0.0.1; krt_realm = 3; bgp_originator_id = 1.2.3.4; bgp_cluster_list.add(1.2.3.4); bgp_local_pref = 2147483647 - krt_metric; unset(bgp_med); igp_metric = 3;
  nothing();
  accept "done";
}
filter f2 int a; { a = 3; error; }
roa table rt1 { roa 10.0.0.0/8 max 24 as 5; }
function rp() { return roa_check(rt1) = ROA_VALID || roa_check(rt1, net, 5) = ROA_INVALID; }
`;
