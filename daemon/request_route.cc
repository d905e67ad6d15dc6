// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/request_route.h"

#include <algorithm>

#include "daemon/flow_token.h"

namespace midcom {
namespace {

class Router {
public:
  Router(const sip::Message& request, const PeerDirectory& peers, const KeyedHash& key,
         std::uint32_t epoch)
      : request_(request), peers_(peers), key_(key), epoch_(epoch),
        request_uri_(request.request_uri().text), is_secure_(request.request_uri().is_secure()) {
    for (const auto value : request.values(sip::HeaderName::route)) routes_.emplace_back(value);
  }

  std::expected<RequestRoute, Reason> run() {
    if (const Reason reason = undo_strict_routing(); reason != Reason::none)
      return std::unexpected(reason);
    if (const Reason reason = take_own_routes(); reason != Reason::none)
      return std::unexpected(reason);
    auto route = token_ ? by_token() : by_address();
    if (!route) return route;
    if (const Reason reason = do_strict_routing(); reason != Reason::none)
      return std::unexpected(reason);
    route->has_new_routes = has_new_routes_;
    route->routes = std::move(routes_);
    if (request_uri_ != request_.request_uri().text) route->new_request_uri = request_uri_;
    return route;
  }

private:
  // 16.4: a strict router has put our own Record-Route URI into the Request-URI.
  Reason undo_strict_routing() {
    const auto& uri = request_.request_uri();
    if (routes_.empty() || !uri.parameter("lr") || !peers_.is_own(uri)) return Reason::none;
    const auto last = sip::NameAddr::parse(routes_.back());
    if (!last) return Reason::bad_route;
    const std::string own = "<" + request_uri_ + ">";
    request_uri_ = last->uri.text;
    is_secure_ = last->uri.is_secure();
    routes_.pop_back();
    routes_.insert(routes_.begin(), own); // is taken away again as a route of ours
    return Reason::none;
  }

  // 16.4: takes away the Route values at the top that name us. The last one's token says where to.
  Reason take_own_routes() {
    while (!routes_.empty()) {
      const auto value = sip::NameAddr::parse(routes_.front());
      if (!value) return Reason::bad_route;
      if (!peers_.is_own(value->uri)) return Reason::none;
      const auto token = decode_token(key_, value->uri.user);
      if (!token && token.error() == TokenError::tampered) return Reason::token_tampered;
      token_.reset();
      if (token) token_ = *token;
      routes_.erase(routes_.begin());
      has_new_routes_ = true;
    }
    return Reason::none;
  }

  std::expected<RequestRoute, Reason> by_token() {
    if (token_->kind == FlowToken::Kind::flow) {
      if (token_->epoch != epoch_) return std::unexpected(Reason::flow_gone);
      return RequestRoute{ToFlow{token_->value}, {}, false, {}};
    }
    const PeerIndex peer = peers_.by_token_value(token_->value);
    if (peer == no_peer || !peers_.at(peer).next_hop) return std::unexpected(Reason::no_route);
    const auto named = named_hop();
    if (named && named->peer == peer) return to_peer(peer, named->target);
    return to_peer(peer, *peers_.at(peer).next_hop);
  }

  // The next Route, else the Request-URI, when it names a configured peer.
  std::optional<PeerDirectory::Hop> named_hop() {
    if (routes_.empty()) {
      const auto uri = sip::Uri::parse(request_uri_);
      return uri ? peers_.hop_for(*uri) : std::nullopt;
    }
    const auto value = sip::NameAddr::parse(routes_.front());
    return value ? peers_.hop_for(value->uri) : std::nullopt;
  }

  std::expected<RequestRoute, Reason> by_address() {
    if (!routes_.empty()) {
      const auto hop = named_hop();
      if (!hop) return std::unexpected(Reason::bad_route);
      return to_peer(hop->peer, hop->target);
    }
    const auto uri = sip::Uri::parse(request_uri_);
    if (!uri) return std::unexpected(Reason::parse_error);
    const bool is_literal = sip::IpAddress::parse(uri->host).has_value();
    if (uri->user.empty() && peers_.is_own(*uri) && request_.method() == "OPTIONS")
      return RequestRoute{ToSelf{}, {}, false, {}};
    if (const PeerIndex peer = is_literal ? no_peer : peers_.route(uri->host); peer != no_peer) {
      if (!peers_.at(peer).next_hop) return std::unexpected(Reason::no_route);
      return to_peer(peer, *peers_.at(peer).next_hop);
    }
    if (const auto hop = peers_.hop_for(*uri)) return to_peer(hop->peer, hop->target);
    return std::unexpected(peers_.is_own(*uri) ? Reason::no_route : Reason::not_our_domain);
  }

  std::expected<RequestRoute, Reason> to_peer(PeerIndex peer, const Target& target) {
    if (is_secure_ && target.transport != Transport::tls)
      return std::unexpected(Reason::sips_required); // RFC 5630: no last-hop exception
    return RequestRoute{ToPeer{peer, target}, {}, false, {}};
  }

  // 16.6 step 6: the next hop is a strict router.
  Reason do_strict_routing() {
    if (routes_.empty()) return Reason::none;
    const auto first = sip::NameAddr::parse(routes_.front());
    if (!first) return Reason::bad_route;
    if (first->uri.parameter("lr")) return Reason::none;
    std::string strict(first->uri.text); // a view into routes_, which is about to change
    routes_.erase(routes_.begin());
    routes_.push_back("<" + request_uri_ + ">");
    request_uri_ = std::move(strict);
    has_new_routes_ = true;
    return Reason::none;
  }

  const sip::Message& request_;
  const PeerDirectory& peers_;
  const KeyedHash& key_;
  std::uint32_t epoch_;
  std::vector<std::string> routes_;
  std::string request_uri_;
  bool is_secure_ = false; // the Request-URI is sips
  bool has_new_routes_ = false;
  std::optional<FlowToken> token_;
};

} // namespace

std::expected<RequestRoute, Reason> route_request(const sip::Message& request,
                                                  const PeerDirectory& peers,
                                                  const KeyedHash& token_key, std::uint32_t epoch) {
  return Router(request, peers, token_key, epoch).run();
}

} // namespace midcom
