// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/conntrack.h"

#include <cerrno>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <set>

#include "pinhole/nft_batch.h"

namespace midcom::pinhole {

namespace {

void put_tuple(NftBatch& batch, const FlowKey& flow) {
  const bool is_ipv4 = flow.source.address.family == Family::ipv4;
  const std::size_t size = is_ipv4 ? 4 : 16;
  const Nest tuple = batch.nest(CTA_TUPLE_ORIG);
  {
    const Nest addresses = batch.nest(CTA_TUPLE_IP);
    batch.put_octets(is_ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, flow.source.address.octets.data(),
                     size);
    batch.put_octets(is_ipv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST,
                     flow.destination.address.octets.data(), size);
  }
  const Nest ports = batch.nest(CTA_TUPLE_PROTO);
  batch.put_u8(CTA_PROTO_NUM, IPPROTO_UDP);
  batch.put_u16(CTA_PROTO_SRC_PORT, flow.source.port);
  batch.put_u16(CTA_PROTO_DST_PORT, flow.destination.port);
}

} // namespace

bool delete_conntrack(NetlinkSocket& socket, std::span<const FlowKey> flows) {
  std::set<FlowKey> tuples;
  for (const FlowKey& flow : flows) {
    tuples.insert(flow);
    tuples.insert({flow.destination, flow.source});
  }
  NftBatch batch(NftBatch::Kind::plain);
  for (const FlowKey& tuple : tuples) {
    const bool is_ipv4 = tuple.source.address.family == Family::ipv4;
    batch.add(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0,
              is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    put_tuple(batch, tuple);
  }
  const int error = batch.run(socket);
  return error != EPERM && error != ENOBUFS && error != EIO;
}

} // namespace midcom::pinhole
