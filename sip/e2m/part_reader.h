// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the parts of one body for inspect(): MIME, then what envelopes and signatures hold, as
// MIME again.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "sip/e2m/inspection.h"

namespace midcom::sip {
class Message;
}

namespace midcom::sip::e2m {

class PartReader {
public:
  // `message` is null for an entity. Marks the labels that name a part.
  PartReader(const InspectionOrder& order, const Message* message, std::span<SeenLabel> labels)
      : order_(order), message_(message), labels_(labels) {}

  [[nodiscard]] SeenPart read_body(); // the message's
  [[nodiscard]] SeenPart read_entity(std::string_view entity);

private:
  // The envelopes around a part, the outermost first, each by a number of its own.
  using Path = std::vector<std::size_t>;
  // What lies inside one signature, not inside another one in it.
  struct Signed {
    std::vector<Aib> identities;
    bool has_bad_identity = false;
    Path identity_path;
    std::vector<Path> content_paths; // of all that can be read and is no identity body
    std::vector<Path> closed_paths;  // of envelopes that stay closed
  };
  struct Context {
    Signed* inside = nullptr; // null: nothing signs this
    Path path = {};
    std::size_t layers = 0; // of envelopes and signatures
  };

  SeenPart read(std::string_view entity, const Context& context);
  SeenPart see(const MimePart& part, const Context& context);
  void mark_labels(SeenPart& seen, const Context& context);
  void see_multipart(const MimePart& part, const Context& context, SeenPart& seen);
  void see_multipart_signed(const MimePart& part, const Context& context, SeenPart& seen);
  void see_cms(const MimePart& part, const Context& context, SeenPart& seen);
  [[nodiscard]] SeenEnvelope describe(const CmsScan& scan) const;
  void see_envelope(std::string_view der, const CmsScan& scan, const Context& context,
                    SeenPart& seen);
  void see_signed_data(std::string_view der, const CmsScan& scan, const Context& context,
                       SeenPart& seen);
  void see_identity(const MimePart& part, const Context& context, SeenPart& seen);
  void see_content(const MimePart& part, const Context& context, SeenPart& seen);
  [[nodiscard]] SeenSignature verify(std::string_view der,
                                     std::optional<std::string_view> detached) const;
  [[nodiscard]] static bool is_inside_all(const Signed& inside);
  void bind(const Signed& inside, SeenSignature& signature) const;
  void finish_signature(const Signed& inside, SeenPart& seen) const;

  const InspectionOrder& order_;
  const Message* message_;
  std::span<SeenLabel> labels_;
  std::size_t parts_ = 0, envelopes_ = 0;
};

} // namespace midcom::sip::e2m
