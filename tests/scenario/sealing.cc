// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/sealing.h"

#include <stdexcept>

#include "sip/aib.h"
#include "sip/e2m/certs_only.h"
#include "sip/e2m/signature.h"
#include "sip/sip_date.h"
#include "tests/scenario/tampering.h"

namespace midcom::scenario {

namespace {

using Options = std::map<std::string, std::string>;
namespace e2m = sip::e2m;

constexpr e2m::Validity validity{1'000'000'000, 4'000'000'000};

template <class T>
T must(std::expected<T, e2m::Error> result, const char* what) {
  if (!result) throw std::runtime_error(std::string("Seal: ") + what);
  return *std::move(result);
}

std::string option(const Options& options, const std::string& name, std::string otherwise = "") {
  const auto found = options.find(name);
  return found == options.end() ? std::move(otherwise) : found->second;
}

Options options_of(const std::string& text) {
  Options options;
  for (const auto& word : words_of(text)) {
    const auto equals = word.find('=');
    options[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return options;
}

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names(1);
  for (const char c : list)
    if (c == ',')
      names.emplace_back();
    else
      names.back() += c;
  if (names.back().empty()) names.pop_back();
  return names;
}

std::string cms_entity(const std::string& smime_type, const std::string& id,
                       const std::string& der) {
  return "Content-Type: application/pkcs7-mime; smime-type=" + smime_type +
         (id.empty() ? "" : "\r\nContent-ID: <" + id + ">") + "\r\n\r\n" + der;
}

std::string mixed(const std::string& first, const std::string& second, const std::string& name) {
  return "Content-Type: multipart/mixed; boundary=" + name + "\r\n\r\n--" + name + "\r\n" + first +
         "\r\n--" + name + "\r\n" + second + "\r\n--" + name + "--\r\n";
}

// RFC 3893, with To and CSeq; a response's names its sender and no To.
std::string aib_entity(const Wire& wire, const Options& options, std::int64_t now) {
  sip::Aib aib;
  const bool is_request = wire.is_request();
  const std::string signer = "sip:" + option(options, "sign") + "@example.com";
  aib.from = option(options, "from", is_request ? uri_of(wire.header("From")) : signer);
  if (is_request) aib.to = option(options, "to", uri_of(wire.header("To")));
  aib.call_id = option(options, "call", wire.header("Call-ID"));
  const auto cseq = words_of(wire.header("CSeq"));
  aib.cseq =
      sip::AibCSeq{static_cast<std::uint32_t>(std::stoul(option(options, "cseq", cseq.at(0)))),
                   option(options, "method", cseq.at(1))};
  aib.date = now + std::stoll(option(options, "date", "0"));
  if (wire.has("Contact")) aib.contact = option(options, "contact", uri_of(wire.header("Contact")));
  const auto text = sip::write_aib(aib);
  if (!text) throw std::runtime_error("Seal: no such AIB");
  return "Content-Type: message/sipfrag\r\nContent-Disposition: aib; handling=optional\r\n\r\n" +
         *text;
}

std::string without_crypto(std::string text) {
  for (auto at = text.find("a=crypto"); at != std::string::npos; at = text.find("a=crypto"))
    text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

void put_entity(Wire& wire, const std::string& entity) {
  const auto end = entity.find("\r\n\r\n");
  wire.remove("Content-Type");
  for (std::size_t at = 0; at < end;) {
    const auto line = entity.substr(at, entity.find("\r\n", at) - at);
    wire.add(line.substr(0, line.find(':')), trim(line.substr(line.find(':') + 1)));
    at += line.size() + 2;
  }
  wire.body = entity.substr(end + 4);
}

} // namespace

Sealing::Sealing()
    : authority_(must(e2m::CertificateAuthority::make_root("Scenario CA", validity), "no CA")),
      stranger_(must(e2m::CertificateAuthority::make_root("Another CA", validity), "no CA")) {}

const e2m::MadeCertificate& Sealing::of(const std::string& name) {
  const auto found = made_.find(name);
  if (found != made_.end()) return found->second;
  // "stranger-bob" has bob's name from an authority nobody trusts, "old-bob" one that has expired.
  const bool is_strange = name.starts_with("stranger-"), is_old = name.starts_with("old-");
  auto user = is_strange || is_old ? name.substr(name.find('-') + 1) : name;
  const e2m::Validity life = is_old ? e2m::Validity{1'000'000'000, 1'500'000'000} : validity;
  // "foreign-gw" is a gateway of another domain.
  const bool is_foreign = name.starts_with("foreign-");
  if (is_foreign) user = user.substr(user.find('-') + 1);
  const auto order =
      user == "gw" || user.starts_with("gw-")
          ? e2m::gateway_order(user + (is_foreign ? ".example.net" : ".example.com"), life)
          : e2m::user_order(user, "example.com", life);
  const auto& authority = is_strange ? stranger_ : authority_;
  return made_.emplace(name, must(authority.issue(order), "no certificate")).first->second;
}

// Whoever is called "revoked" is.
OpenerMaterial Sealing::opener_material(AgentConfig& config) {
  const std::string serials[] = {of("revoked").serial};
  OpenerMaterial material;
  if (config.role == StationRole::gateway) {
    const auto& gateway = of("gw");
    config.smime.certificate = gateway.certificate.der();
    material.certificate = gateway.certificate.pem();
    material.key = gateway.key.pem();
  }
  for (auto& user : config.endpoint.users) {
    const auto& own = of(user.address.substr(4, user.address.find('@') - 4));
    const std::string certificates[] = {own.certificate.der()};
    user.offer = e2m::write_certs_only(certificates);
    material.users.push_back({user.address, own.certificate.pem(), own.key.pem()});
  }
  for (auto& middle : config.endpoint.middles)
    middle.certificate = of(middle.name.substr(0, middle.name.find('.'))).certificate.der();
  material.authorities = authority_.certificate().pem();
  material.revocation_lists = must(authority_.revocation_list(serials, validity), "no CRL");
  return material;
}

std::string Sealing::signed_entity(const Wire& wire, const std::string& entity,
                                   const Options& options, std::int64_t now) {
  const auto& signer = of(option(options, "sign"));
  const bool is_detached = option(options, "form") == "detached";
  const bool has_aib = option(options, "aib") != "no";
  const std::string content =
      has_aib ? mixed(aib_entity(wire, options, now), entity, "aib") : entity;
  const auto der = must(e2m::sign({.content = content,
                                   .signer = signer.certificate,
                                   .key = signer.key,
                                   .is_detached = is_detached,
                                   .time = now}),
                        "no signature");
  if (!is_detached) return cms_entity("signed-data", "", der);
  return "Content-Type: multipart/signed; micalg=sha-256; "
         "protocol=\"application/pkcs7-signature\"; boundary=sig\r\n\r\n--sig\r\n" +
         content +
         "\r\n--sig\r\nContent-Type: application/pkcs7-signature\r\n"
         "Content-Transfer-Encoding: binary\r\n\r\n" +
         der + "\r\n--sig--\r\n";
}

std::string Sealing::envelope(const std::string& entity, const std::string& recipients,
                              const Options& options) {
  e2m::EnvelopeRequest request;
  request.content = entity;
  std::vector<e2m::Certificate> certificates;
  for (const auto& name : names_in(recipients)) certificates.push_back(of(name).certificate);
  request.recipients = certificates;
  auto reference_of_kek = option(options, "kek");
  if (reference_of_kek == "last") reference_of_kek = last_reference_;
  if (const auto& reference = reference_of_kek; !reference.empty())
    request.kek = e2m::Kek{e2m::kek_from_cek(ceks_.at(reference)), reference};
  const auto reference = option(options, "cek");
  if (!reference.empty()) request.cek_reference = reference;
  if (const auto most = option(options, "max"); !most.empty())
    request.max_decrypts = static_cast<std::uint32_t>(std::stoul(most));
  auto sealed = must(e2m::seal_envelope(request), "no envelope");
  if (!reference.empty()) ceks_.insert_or_assign(reference, std::move(sealed.cek));
  if (const auto count = option(options, "recipients"); !count.empty())
    sealed.der = with_recipients(sealed.der, std::stoul(count));
  if (const auto size = option(options, "tag"); !size.empty())
    sealed.der = with_short_tag(sealed.der, std::stoul(size));
  if (options.contains("damaged")) sealed.der.back() = static_cast<char>(sealed.der.back() ^ 1);
  return sealed.der;
}

void Sealing::apply(Wire& wire, const std::string& text, std::int64_t now) {
  const auto options = options_of(text);
  const auto id = option(options, "cid");
  const bool is_signed = options.contains("sign"), is_sealed = options.contains("for");
  const bool signs_last = option(options, "order") == "outer";
  std::string entity = "Content-Type: " + wire.header("Content-Type") + "\r\n\r\n" + wire.body;
  const auto enclose = [&] {
    entity =
        cms_entity("auth-enveloped-data", id, envelope(entity, option(options, "for"), options));
  };
  if (signs_last && is_sealed) {
    if (option(options, "aib") != "outside")
      entity = mixed(aib_entity(wire, options, now), entity, "inner");
    enclose();
    Options outer = options;
    if (option(options, "aib") != "outside") outer["aib"] = "no";
    entity = signed_entity(wire, entity, outer, now);
  } else {
    std::string own = entity; // of the private part; with `split` the shared one has no keys
    if (options.contains("split")) entity = without_crypto(entity);
    if (options.contains("tampered")) entity.replace(entity.find("m=audio ") + 8, 1, "6");
    if (is_signed) own = signed_entity(wire, own, options, now);
    if (is_signed) entity = signed_entity(wire, entity, options, now);
    if (is_sealed) enclose();
    for (auto more = std::stoul(option(options, "envelopes", "1")); more > 1; --more) enclose();
    if (const auto far = option(options, "private"); !far.empty())
      entity = mixed(entity,
                     cms_entity("auth-enveloped-data",
                                option(options, "private-cid", "private@scenario"),
                                envelope(own, far, {})),
                     "both");
  }
  for (const auto& middle : names_in(option(options, "label", "gw.example.com")))
    if (!id.empty() && middle != "no")
      wire.add("Proxy-Inspect-Body", middle + "; cid=\"" + option(options, "label-cid", id) + "\"");
  put_entity(wire, nested(std::move(entity), std::stoul(option(options, "nested", "0"))));
}

Sealing::Entity Sealing::entity_of(const std::string& text) {
  Entity entity;
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error("an entity without its empty line");
  const Wire head = Wire::parse("ENTITY\r\n" + text.substr(0, end) + "\r\n\r\n");
  return {head.header("Content-Type"), head.header("Content-Disposition"), text.substr(end + 4)};
}

void Sealing::read(const Entity& entity, const std::string& reader, Opened& result) {
  const auto is = [&](const char* type) { return entity.type.starts_with(type); };
  if (is("multipart/")) {
    const std::string mark = "--" + parameter_of(entity.type, "boundary");
    for (auto at = entity.body.find(mark); at != std::string::npos;) {
      const auto begin = entity.body.find("\r\n", at) + 2;
      if (entity.body.compare(at + mark.size(), 2, "--") == 0) break;
      at = entity.body.find("\r\n" + mark, begin - 2);
      read(entity_of(entity.body.substr(begin, at - begin)), reader, result);
      at += 2;
    }
    return;
  }
  if (is("application/pkcs7-mime; smime-type=auth-enveloped-data")) {
    const auto& own = of(reader);
    const e2m::DecryptionKey keys[] = {{own.certificate, own.key}};
    const auto find_kek = [&](std::string_view reference) -> std::optional<e2m::Secret> {
      const auto found = ceks_.find(std::string(reference));
      if (found == ceks_.end()) return std::nullopt;
      return e2m::kek_from_cek(found->second);
    };
    auto opened = e2m::open_envelope(entity.body, keys, find_kek, true);
    ++(opened ? result.opened : result.closed);
    if (!opened) return;
    if (opened->cek_reference) {
      last_reference_ = *opened->cek_reference;
      ceks_.insert_or_assign(last_reference_, std::move(opened->cek));
    }
    return read(entity_of(opened->content), reader, result);
  }
  if (is("application/pkcs7-mime; smime-type=signed-data")) {
    const auto verified = must(e2m::verify_signature(entity.body, std::nullopt), "bad signature");
    result.signers.push_back(verified.signer().uris().at(0));
    return read(entity_of(verified.content_of_anyone()), reader, result);
  }
  if (is("message/sipfrag"))
    result.aib = entity.body;
  else
    result.texts.push_back(entity.body);
}

Sealing::Opened Sealing::open(const Wire& wire, const std::string& reader) {
  Opened result;
  read({wire.header("Content-Type"), "", wire.body}, reader, result);
  return result;
}

} // namespace midcom::scenario
