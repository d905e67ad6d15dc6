// SPDX-License-Identifier: GPL-3.0-or-later
// What leaves and what arrives; refusals are in endpoint_refusals.cc.
#include "daemon/endpoint_service.h"

#include <algorithm>
#include <array>

#include "daemon/keyed_hash.h"
#include "sip/mime.h"
#include "sip/sealed_message.h"
#include "sip/transfer_encoding.h"

namespace midcom {

namespace {

constexpr std::size_t sent_kept = 4096;
constexpr std::size_t opened_limit = 65536;

// Whose bodies are sealed: those that mean something to the far end itself.
constexpr std::string_view sealed_methods[] = {"INVITE", "ACK",     "PRACK",
                                               "UPDATE", "MESSAGE", "INFO"};

bool is_sealed_method(std::string_view method) {
  return std::ranges::find(sealed_methods, method) != std::end(sealed_methods);
}

std::string address_of(const sip::NameAddr& who) {
  return who.uri.address_of_record();
}

// The same octets on the same way back.
std::string repeat_key_of(const sip::Message& message) {
  if (message.is_request() && message.method() != "ACK") return {};
  std::string key(message.top_via().text);
  key.append(1, '\0').append(message.call_id()).append(1, '\0');
  key.append(std::to_string(message.is_request() ? 0 : message.status())).append(1, '\0');
  key.append(std::to_string(message.cseq().number)).append(message.cseq().method).append(1, '\0');
  return key.append(message.to().tag()).append(1, '\0').append(message.body());
}

// The tag of the far end: of a message that leaves, or of one that arrives.
std::string_view remote_tag(const sip::Message& message, bool is_leaving) {
  return message.is_request() == is_leaving ? message.to().tag() : message.from().tag();
}

std::string far_address(const sip::Message& message, bool is_leaving) {
  return address_of(message.is_request() == is_leaving ? message.to() : message.from());
}

// Of what was sealed only Content-* fields become the message's, and the transfer encoding is
// undone: phones needn't know any.
bool goes_on(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  constexpr std::string_view prefix = "Content-";
  return sip::iequals(name.substr(0, prefix.size()), prefix) &&
         !sip::iequals(name, "Content-Length") && !sip::iequals(name, "Content-Transfer-Encoding");
}

// An entity's fields and body as with_body takes them.
std::optional<sip::MimeEntity> entity_of(const std::string& text) {
  const auto part = sip::parse_mime_entity(text, {});
  auto body = part ? sip::decode(*part, opened_limit) : std::unexpected(part.error());
  if (!body) return std::nullopt;
  sip::MimeEntity entity{.body = *std::move(body)};
  std::string_view head = std::string_view(text).substr(0, text.size() - part->body.size());
  bool is_kept = false;
  for (auto end = head.find("\r\n"); end != std::string_view::npos && end > 0;
       end = head.find("\r\n")) {
    const std::string_view line = head.substr(0, end + 2);
    const bool is_fold = line.front() == ' ' || line.front() == '\t';
    if (!is_fold) is_kept = goes_on(line);
    if (is_kept) entity.other_lines += line;
    head.remove_prefix(line.size());
  }
  return entity;
}

} // namespace

EndpointService::EndpointService(const AgentConfig& config, const PeerDirectory& peers,
                                 OpenerClient& openers, EventLog& log, const WallClock& wall_clock,
                                 Random random)
    : BodyService(&reader_), config_(config), peers_(peers), openers_(openers), log_(log),
      wall_clock_(wall_clock), random_(std::move(random)),
      reader_(config, peers, openers, log, wall_clock),
      certificates_(config.endpoint, openers, log, wall_clock),
      dialogs_(config.limits.calls, config.timeouts.call) {}

bool EndpointService::is_user(std::string_view address) const {
  return std::ranges::find(config_.endpoint.users, address, &UserConfig::address) !=
         config_.endpoint.users.end();
}

// Whose keys are tried: whom the message names, else whose phone it goes to, else the only one
// there is; calls are forwarded. Empty: nobody's.
std::string EndpointService::recipient_of(const sip::Message& message, const Sender& sender,
                                          const EndpointDialog& dialog) const {
  std::string named = address_of(message.is_request() ? message.to() : message.from());
  if (is_user(named)) return named;
  if (!dialog.user.empty()) return dialog.user;
  if (sender.onward_flow != nullptr)
    for (const std::string& address : sender.onward_flow->registered)
      if (is_user(address)) return address;
  return config_.endpoint.users.size() == 1 ? config_.endpoint.users.front().address
                                            : std::string();
}

std::string EndpointService::signer_of(const sip::Message& message,
                                       const EndpointDialog* dialog) const {
  std::string named = address_of(message.is_request() ? message.from() : message.to());
  if (is_user(named)) return named;
  return message.is_request() || dialog == nullptr ? std::string() : dialog->user;
}

std::optional<Disclosure> EndpointService::read(const sip::MessagePtr& message,
                                                const Sender& sender, Then then,
                                                sip::TimePoint now) {
  if (sender.from.peer == no_peer || sender.onward == no_peer) return Disclosure{};
  const PeerKind from = peers_.at(sender.from.peer).kind, to = peers_.at(sender.onward).kind;
  if (from == to) return Disclosure{}; // neither leaves nor arrives
  if (from == PeerKind::phones) return seal(message, std::move(then), now);
  return open(message, sender, std::move(then), now);
}

SealTerms EndpointService::terms_for(const sip::Message& message, const std::string& user,
                                     const EndpointDialog& dialog) const {
  const std::string far = far_address(message, true);
  SealTerms terms{.user = user,
                  .far_certificate = dialog.far_certificate,
                  .middles = certificates_.middles_towards(far),
                  .kek_reference = dialog.cek_reference,
                  .requires_seal = config_.endpoint.seal == SealPolicy::required};
  if (terms.far_certificate.empty()) terms.far_certificate = certificates_.of(far);
  for (const Middle& middle : dialog.middles) add_middle(terms.middles, middle);
  // The far end and the user take a place each.
  const std::size_t most = opener::max_recipients - 2;
  if (terms.middles.size() > most) terms.middles.resize(most);
  return terms;
}

// Who has spoken in clear is answered so; who isn't known may have to be spoken to so.
bool EndpointService::stays_plain(const sip::Message& message, const EndpointDialog* dialog) const {
  if (config_.endpoint.seal == SealPolicy::required) return false;
  if (dialog != nullptr && dialog->is_plain) return true;
  if (config_.endpoint.seal != SealPolicy::known || !message.is_request()) return false;
  const bool has_met = dialog != nullptr && !dialog->far_certificate.empty();
  return !has_met && certificates_.of(far_address(message, true)).empty();
}

std::optional<Disclosure> EndpointService::seal(const sip::MessagePtr& message, Then then,
                                                sip::TimePoint now) {
  if (message->body().empty() || is_smime(*message) || !is_sealed_method(message->cseq().method))
    return Disclosure{};
  const EndpointDialog* dialog = dialogs_.find(message->call_id(), remote_tag(*message, true));
  const std::string user = signer_of(*message, dialog);
  if (user.empty() || stays_plain(*message, dialog)) return Disclosure{};
  std::string key = repeat_key_of(*message);
  if (auto known = recall(key, now)) {
    Disclosure again;
    again.rewritten = *std::move(known);
    return again;
  }
  return start(message, user, std::move(key), std::move(then), now);
}

std::optional<Disclosure> EndpointService::start(const sip::MessagePtr& message,
                                                 const std::string& user, std::string repeat_key,
                                                 Then then, sip::TimePoint now) {
  const EndpointDialog& dialog =
      dialogs_.touch(message->call_id(), remote_tag(*message, true), now);
  SealTerms terms = terms_for(*message, user, dialog);
  const auto token = [this] {
    std::array<std::uint8_t, 16> octets{};
    random_(octets.data(), octets.size());
    return to_hex(octets.data(), octets.size());
  };
  const std::size_t middles = terms.middles.size();
  const auto sealing = std::make_shared<Sealing>(
      Sealing{message, SealRun(message, std::move(terms), token, wall_clock_()), pair_of(*message),
              std::move(repeat_key), middles, std::move(then)});
  auto question = sealing->run.next();
  if (!question) return finish(*sealing, now);
  turns_.begin(message->call_id());
  ask(sealing, *std::move(question), now);
  return std::nullopt;
}

void EndpointService::ask(const std::shared_ptr<Sealing>& sealing, opener::Seal question,
                          sip::TimePoint now) {
  question.pair = sealing->pair;
  openers_.submit(
      std::move(question),
      [this, sealing](const auto& answer, sip::TimePoint later) {
        if (answer)
          sealing->run.take(*answer);
        else
          sealing->run.take_failure();
        go_on(sealing, later);
      },
      now);
}

void EndpointService::go_on(const std::shared_ptr<Sealing>& sealing, sip::TimePoint now) {
  if (auto question = sealing->run.next()) return ask(sealing, *std::move(question), now);
  const std::string call_id(sealing->message->call_id());
  sealing->then(finish(*sealing, now), now);
  turns_.end(call_id, now);
}

Disclosure EndpointService::finish(Sealing& sealing, sip::TimePoint now) {
  Disclosure body;
  auto message = sealing.run.result();
  const auto& cseq = sealing.message->cseq();
  Event event(message ? Level::info : Level::notice, message ? "e2m.seal" : "e2m.fail");
  event.add("cseq", std::to_string(cseq.number) + " " + std::string(cseq.method));
  if (message)
    event.add("sealed", sealing.run.is_sealed() ? "yes" : "no")
        .add("middles", std::uint64_t{sealing.middles});
  else
    event.add("reason", word_of(message.error()));
  log_.write(event.add("call", sealing.message->call_id()));
  if (!message) {
    body.finding = message.error();
    return body;
  }
  body.rewritten = Rewritten(*std::move(message));
  if (sealing.repeat_key.empty()) return body;
  const auto until = now + config_.timeouts.timer_c;
  if (sent_.try_emplace(sealing.repeat_key, body.rewritten).second)
    sent_order_.emplace_back(until, sealing.repeat_key);
  return body;
}

std::optional<Rewritten> EndpointService::recall(const std::string& key, sip::TimePoint now) {
  while (!sent_order_.empty() &&
         (sent_order_.front().first <= now || sent_order_.size() > sent_kept)) {
    sent_.erase(sent_order_.front().second);
    sent_order_.pop_front();
  }
  const auto found = sent_.find(key);
  if (key.empty() || found == sent_.end()) return std::nullopt;
  return found->second;
}

std::optional<Disclosure> EndpointService::open(const sip::MessagePtr& message,
                                                const Sender& sender, Then then,
                                                sip::TimePoint now) {
  EndpointDialog& dialog = dialogs_.touch(message->call_id(), remote_tag(*message, false), now);
  const std::string user = recipient_of(*message, sender, dialog);
  dialog.user = user;
  if (message->body().empty()) return Disclosure{};
  Sender reader = sender;
  reader.recipient = user;
  if (reader.pinned.empty()) reader.pinned = dialog.far_signer;
  const auto body = reader_.read(
      message, reader,
      [this, message, then = std::move(then)](const Disclosure& read, sip::TimePoint later) {
        then(take_opened(message, read, later), later);
      },
      now);
  if (!body) return std::nullopt;
  return take_opened(message, *body, now);
}

Disclosure EndpointService::take_opened(const sip::MessagePtr& message, Disclosure body,
                                        sip::TimePoint now) {
  if (body.finding == Reason::body_undecipherable) {
    body.finding = Reason::sealed_for_others;
    body.lacking.clear();
  }
  if (body.finding != Reason::none) return body;
  EndpointDialog& dialog = dialogs_.touch(message->call_id(), remote_tag(*message, false), now);
  if (message->is_request()) dialog.is_plain = !body.plain;
  if (!body.plain) return body;
  if (!body.cek_reference.empty()) dialog.cek_reference = body.cek_reference;
  if (body.signer) {
    if (!message->is_request()) dialog.far_signer = body.signer->uri;
    if (!body.signer->certificate.empty()) dialog.far_certificate = body.signer->certificate;
    certificates_.learn(body.signer->uri, body.signer->certificate);
  }
  const auto entity = entity_of(*body.plain);
  auto bytes = entity ? sip::with_body(*message, *entity, {}, wall_clock_())
                      : std::unexpected(sip::Error::syntax);
  auto plain = bytes ? parse_own(*std::move(bytes)) : nullptr;
  if (!plain) {
    body.finding = Reason::body_syntax;
    return body;
  }
  body.rewritten = Rewritten(std::move(plain));
  return body;
}

BodyService::Offer EndpointService::offer_to(const sip::Message& request) const {
  const EndpointDialog* dialog = dialogs_.find(request.call_id(), request.from().tag());
  for (const UserConfig& user : config_.endpoint.users)
    if (user.address == address_of(request.to()) ||
        (dialog != nullptr && user.address == dialog->user))
      return {"application/pkcs7-mime; smime-type=certs-only", user.offer};
  return {};
}

} // namespace midcom
