// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/edit_list.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace midcom::sip {
namespace {

// Pointers into different objects are ordered by std::less only.
bool contains(std::string_view whole, const char* begin, const char* end) {
  const std::less_equal<const char*> at_or_before;
  return at_or_before(whole.data(), begin) && at_or_before(begin, end) &&
         at_or_before(end, whole.data() + whole.size());
}

} // namespace

void EditList::replace(std::string_view span, std::string replacement) {
  const std::string_view bytes = message_.bytes();
  // The empty line stays the end of the header block.
  const std::string_view editable = bytes.substr(0, bytes.size() - message_.body().size() - 2);
  if (span.data() == nullptr || !contains(editable, span.data(), span.data() + span.size())) {
    outside_ = true;
    return;
  }
  edits_.push_back(
      {static_cast<std::size_t>(span.data() - bytes.data()), span.size(), std::move(replacement)});
}

void EditList::insert_before(const char* position, std::string text) {
  replace(std::string_view(position, 0), std::move(text));
}

void EditList::erase_first_values(HeaderName list_header, std::size_t count) {
  for (const HeaderField& field : message_.fields()) {
    if (count == 0) return;
    if (field.id != list_header) continue;
    const auto values = split_list(field.value);
    if (!values || values->size() <= count) {
      erase(field.line);
      count -= std::min(count, values ? values->size() : 1);
      continue;
    }
    const char* begin = values->front().data();
    erase({begin, static_cast<std::size_t>((*values)[count].data() - begin)});
    return;
  }
}

void EditList::insert_field_before(HeaderName anchor, std::string line) {
  if (const HeaderField* field = message_.first(anchor))
    insert_before(field->line.data(), std::move(line));
  else
    insert_first_field(std::move(line));
}

void EditList::insert_first_field(std::string line) {
  insert_before(message_.fields().front().line.data(), std::move(line));
}

void EditList::append_field(std::string line) {
  const std::string_view last = message_.fields().back().line;
  insert_before(last.data() + last.size(), std::move(line));
}

Result<std::string> EditList::apply() const {
  if (outside_) return std::unexpected(Error::outside);
  std::vector<const Edit*> order;
  order.reserve(edits_.size());
  std::size_t added = 0;
  for (const Edit& edit : edits_) {
    order.push_back(&edit);
    added += edit.text.size();
  }
  // Inserts go before what they stand at; those at one place keep the order of calls.
  std::ranges::sort(order, {}, [](const Edit* edit) {
    return std::tuple(edit->offset, edit->length != 0, edit);
  });
  const std::string_view bytes = message_.bytes();
  std::string out;
  out.reserve(bytes.size() + added);
  std::size_t done = 0;
  for (const Edit* edit : order) {
    if (edit->offset < done) return std::unexpected(Error::overlap);
    out += bytes.substr(done, edit->offset - done);
    out += edit->text;
    done = edit->offset + edit->length;
  }
  out += bytes.substr(done);
  return out;
}

} // namespace midcom::sip
