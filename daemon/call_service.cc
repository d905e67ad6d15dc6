// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call_service.h"

#include "daemon/firewall.h"

namespace midcom {

namespace {

class UnfollowedCalls final : public CallService {
public:
  [[nodiscard]] CallPtr call_of(const sip::Message&) const override { return nullptr; }
  [[nodiscard]] Verdict on_request(const sip::Message&, const Disclosure&, const FlowEntry&, Pass&,
                                   sip::TimePoint) override {
    return {};
  }
  [[nodiscard]] Verdict on_response(const Pass&, const sip::Message&, const sip::Message&,
                                    const Disclosure&, const FlowEntry&, sip::TimePoint) override {
    return {};
  }
  [[nodiscard]] bool may_belong(const sip::Message&, const FlowEntry&) const override {
    return true;
  }
  [[nodiscard]] std::string_view pinned_signer(const sip::Message&) const override { return {}; }
  [[nodiscard]] Verdict on_own_answer(const Pass&, const sip::Message&, int, Reason,
                                      sip::TimePoint) override {
    return {};
  }
  void withdraw(const Pass&, const sip::Message&, sip::TimePoint) override {}
  void close(const CallPtr&, Leg&, sip::TimePoint) override {}
  void on_sent(const Pass&, const sip::Message&, const FlowEntry&, std::string_view) override {}
  void attach(const Pass&) override {}
  void detach(const Pass&, sip::TimePoint) override {}
  void settle(const CallPtr&, sip::TimePoint) override {}
  void drop_when_done(const CallPtr&, sip::TimePoint) override {}
};

} // namespace

std::unique_ptr<CallService> make_unfollowed_calls() {
  return std::make_unique<UnfollowedCalls>();
}

} // namespace midcom
