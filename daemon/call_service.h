// SPDX-License-Identifier: GPL-3.0-or-later
// A service (RFC 4189 2.2) that follows calls, as the proxy calls it: it sees each message that is
// about to leave together with what can be read of its body, and allows, refuses or lets it wait.
// What it returns is binding. A gateway's is the Firewall; an endpoint follows no calls.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/disclosure.h"
#include "daemon/flow_table.h"
#include "daemon/reasons.h"
#include "sip/message.h"

namespace midcom {

struct Call;
struct Leg;
struct Pass;    // pass.h, like
struct Verdict; // this
using CallPtr = std::shared_ptr<Call>;

class CallService {
public:
  virtual ~CallService() = default;

  [[nodiscard]] virtual CallPtr call_of(const sip::Message& message) const = 0;
  // A new request, before it is forwarded; `body` is what can be read of it. Fills `pass`.
  [[nodiscard]] virtual Verdict on_request(const sip::Message& request, const Disclosure& body,
                                           const FlowEntry& from, Pass& pass,
                                           sip::TimePoint now) = 0;
  // A response (not 100) to a request with this pass, before it is forwarded.
  [[nodiscard]] virtual Verdict on_response(const Pass& pass, const sip::Message& request,
                                            const sip::Message& response, const Disclosure& body,
                                            const FlowEntry& from, sip::TimePoint now) = 0;
  // Before a body is read: may `from` act in the dialog the request names, as far as is known?
  // False only where on_request() refuses. True outside of dialogs.
  [[nodiscard]] virtual bool may_belong(const sip::Message& request,
                                        const FlowEntry& from) const = 0;
  // Who signed what the sender of this message sent earlier in its dialog; empty: nobody did.
  [[nodiscard]] virtual std::string_view pinned_signer(const sip::Message& message) const = 0;
  // The request gets a final answer of our own making (refusal, time-out, lost flow).
  [[nodiscard]] virtual Verdict on_own_answer(const Pass& pass, const sip::Message& request,
                                              int status, Reason reason, sip::TimePoint now) = 0;
  // The request has waited and its sender is gone: it goes nowhere and gets no answer, so that it
  // is new when it comes again.
  virtual void withdraw(const Pass& pass, const sip::Message& request, sip::TimePoint now) = 0;
  // A dialog that midcomd ends itself.
  virtual void close(const CallPtr& call, Leg& leg, sip::TimePoint now) = 0;
  // A request leaves towards `to`.
  virtual void on_sent(const Pass& pass, const sip::Message& request, const FlowEntry& to,
                       std::string_view branch) = 0;
  // Live transactions keep a call in the table.
  virtual void attach(const Pass& pass) = 0;
  virtual void detach(const Pass& pass, sip::TimePoint now) = 0;
  // After what a call has waited for, before its messages go on: a call whose last leg is closed
  // has ended.
  virtual void settle(const CallPtr& call, sip::TimePoint now) = 0;
  // Takes a call out of the table that nothing needs any more.
  virtual void drop_when_done(const CallPtr& call, sip::TimePoint now) = 0;

protected:
  CallService() = default;
  CallService(const CallService&) = default;
  CallService& operator=(const CallService&) = default;
};

// Lets everything pass.
[[nodiscard]] std::unique_ptr<CallService> make_unfollowed_calls();

} // namespace midcom
