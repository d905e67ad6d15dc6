// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/conntrack.h"

#include <cerrno>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <memory>
#include <new>
#include <set>

#include "pinhole/nft_batch.h"

namespace midcom::pinhole {

namespace {

struct Free {
  void operator()(nf_conntrack* connection) const { nfct_destroy(connection); }
};
using Connection = std::unique_ptr<nf_conntrack, Free>;

Connection connection_of(const FlowKey& flow) {
  Connection connection(nfct_new());
  if (connection == nullptr) throw std::bad_alloc();
  const bool is_ipv4 = flow.source.address.family == Family::ipv4;
  const auto set = [&](nf_conntrack_attr attribute, const auto& value) {
    nfct_set_attr(connection.get(), attribute, &value);
  };
  set(ATTR_L3PROTO, static_cast<std::uint8_t>(is_ipv4 ? AF_INET : AF_INET6));
  set(is_ipv4 ? ATTR_IPV4_SRC : ATTR_IPV6_SRC, flow.source.address.octets);
  set(is_ipv4 ? ATTR_IPV4_DST : ATTR_IPV6_DST, flow.destination.address.octets);
  set(ATTR_L4PROTO, flow.protocol);
  set(ATTR_PORT_SRC, htons(flow.source.port));
  set(ATTR_PORT_DST, htons(flow.destination.port));
  return connection;
}

} // namespace

bool delete_conntrack(NetlinkSocket& socket, std::span<const FlowKey> flows) {
  std::set<FlowKey> tuples;
  for (const FlowKey& flow : flows) {
    tuples.insert(flow);
    tuples.insert({flow.destination, flow.source, flow.protocol});
  }
  NftBatch batch(NftBatch::Kind::plain);
  for (const FlowKey& tuple : tuples) {
    const bool is_ipv4 = tuple.source.address.family == Family::ipv4;
    nfct_nlmsg_build(batch.add(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0,
                               is_ipv4 ? AF_INET : AF_INET6),
                     connection_of(tuple).get());
  }
  const int error = batch.run(socket);
  return error != EPERM && error != ENOBUFS && error != EIO;
}

} // namespace midcom::pinhole
