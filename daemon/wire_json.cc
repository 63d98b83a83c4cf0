#include <almanac/daemon/wire_json.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace almanac {
namespace {

std::unexpected<Error> bad_json(std::string text) {
  return fail(ErrorCode::invalid, std::move(text), "send one value of JSON");
}

// The length of the well-formed character at the front; 0 = there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const unsigned low = first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
  return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6U);
  } else {
    if (code < 0x10000) {
      byte(0xE0 | code >> 12U);
    } else {
      byte(0xF0 | code >> 18U);
      byte(0x80 | (code >> 12U & 0x3FU));
    }
    byte(0x80 | (code >> 6U & 0x3FU));
  }
  byte(0x80 | (code & 0x3FU));
}

// How many bytes at the front of a text stand for themselves in a string of JSON, one each.
std::size_t plain_length(std::string_view text) {
  const auto end = std::ranges::find_if(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<signed char>(c) < 0 || c == '"' ||
           c == '\\';
  });
  return static_cast<std::size_t>(end - text.begin());
}

// As many as a job has.
constexpr std::size_t members_usual = 8;

// Reads one value and gathers those one level below it. Numbers are read by their grammar alone,
// which is why no library does it: those known refuse what no double can hold.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view json) : json_(json) {}

  // False when it is not what it must be; fault() says why.
  bool scan(WireKind wanted) {
    skip_space();
    if (peek() != (wanted == WireKind::object ? '{' : '[')) {
      return fault_at(wanted == WireKind::object ? "it is not an object" : "it is not a list");
    }
    next_ = Next::value;
    while (next_ != Next::nothing) {
      skip_space();
      if (!step()) return false;
    }
    skip_space();
    return at_ == json_.size() || fault_at("there is more behind the value");
  }
  [[nodiscard]] std::string fault() const { return fault_ + ", at byte " + std::to_string(at_); }
  std::vector<WireMember> members;

 private:
  enum class Next : std::uint8_t { value, value_or_end, name_or_end, name, comma_or_end, nothing };

  [[nodiscard]] char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  [[nodiscard]] bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
  bool fault_at(const char* what) {
    fault_ = what;
    return false;
  }
  bool take(char c) {
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < json_.size() &&
           (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r')) {
      ++at_;
    }
  }

  bool step() {
    switch (next_) {
      case Next::value_or_end:
        if (peek() == ']') return close();
        return value();
      case Next::value: return value();
      case Next::name_or_end:
        if (peek() == '}') return close();
        return member_name();
      case Next::name: return member_name();
      case Next::comma_or_end:
        if (!take(',')) return close();
        next_ = closers_.back() == '}' ? Next::name : Next::value;
        return true;
      case Next::nothing: break;
    }
    return true;
  }
  bool member_name() {
    std::string name;
    if (!text(name)) return false;
    skip_space();
    if (!take(':')) return fault_at("a colon is missing");
    if (closers_.size() == 1) name_ = std::move(name);
    next_ = Next::value;
    return true;
  }
  bool value() {
    const std::size_t begin = at_;
    const char c = peek();
    if (c == '{' || c == '[') return open(c == '{' ? '}' : ']');
    next_ = Next::comma_or_end;
    WireValue scalar;
    if (c == '"') {
      scalar.kind = WireKind::string;
      if (!text(scalar.string)) return false;
    } else if (c == '-' || is_digit()) {
      scalar.kind = WireKind::number;
      if (!number()) return false;
    } else if (word("null")) {
      scalar.kind = WireKind::null;
    } else if (word("true") || word("false")) {
      scalar.kind = WireKind::boolean;
    } else {
      return fault_at("a value is missing");
    }
    scalar.text = json_.substr(begin, at_ - begin);
    if (closers_.size() == 1) add(std::move(scalar));
    return true;
  }
  bool open(char closer) {
    if (closers_.size() == 1) begin_ = at_;
    if (closers_.size() == wire_json_depth_max) return fault_at("it is nested too deep");
    ++at_;
    closers_.push_back(closer);
    next_ = closer == '}' ? Next::name_or_end : Next::value_or_end;
    return true;
  }
  bool close() {
    if (!take(closers_.back())) return fault_at("a comma or an end is missing");
    const WireKind kind = closers_.back() == '}' ? WireKind::object : WireKind::list;
    closers_.pop_back();
    if (closers_.size() == 1) add({kind, json_.substr(begin_, at_ - begin_), {}});
    next_ = closers_.empty() ? Next::nothing : Next::comma_or_end;
    return true;
  }
  void add(WireValue value) { members.push_back({std::exchange(name_, {}), std::move(value)}); }

  bool word(std::string_view wanted) {
    if (!json_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  bool digits() {
    if (!is_digit()) return fault_at("a digit is missing");
    while (is_digit()) ++at_;
    return true;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (peek() != 'e' && peek() != 'E') return true;
    ++at_;
    if (!take('+')) take('-');
    return digits();
  }
  bool text(std::string& decoded) {
    if (!take('"')) return fault_at("a text is missing");
    while (true) {
      const std::size_t plain = plain_length(json_.substr(at_));
      decoded.append(json_, at_, plain);
      at_ += plain;
      if (take('"')) return true;
      if (at_ == json_.size()) return fault_at("a text does not end");
      if (static_cast<unsigned char>(json_[at_]) < 0x20)
        return fault_at("a text has a control byte");
      if (json_[at_] == '\\') {
        if (!escape(decoded)) return fault_at("a text has a wrong escape");
        continue;
      }
      const std::size_t length = utf8_length(json_.substr(at_));
      if (length == 0) return fault_at("a text is not UTF-8");
      decoded.append(json_, at_, length);
      at_ += length;
    }
  }
  bool escape(std::string& decoded) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view bytes = "\"\\/\b\f\n\r\t";
    ++at_;
    if (const auto known = names.find(peek()); at_ < json_.size() && known < names.size()) {
      decoded += bytes[known];
      ++at_;
      return true;
    }
    auto code = unicode_escape();
    if (!code) return false;
    if (*code >= 0xD800 && *code <= 0xDBFF) {
      const std::uint32_t high = *code;
      if (!take('\\')) return false;
      const auto low = unicode_escape();
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
      code = 0x10000 + ((high - 0xD800) << 10U) + (*low - 0xDC00);
    } else if (*code >= 0xDC00 && *code <= 0xDFFF) {
      return false;
    }
    append_utf8(decoded, *code);
    return true;
  }
  std::optional<std::uint32_t> unicode_escape() {
    if (!take('u') || json_.size() - at_ < 4) return std::nullopt;
    std::uint32_t code = 0;
    const char* end = json_.data() + at_ + 4;
    const auto [stop, error] = std::from_chars(json_.data() + at_, end, code, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    at_ += 4;
    return code;
  }

  std::string_view json_;
  std::size_t at_ = 0;
  Next next_ = Next::value;
  std::string closers_;    // of what is open, the innermost last
  std::size_t begin_ = 0;  // of the value one level below the outermost
  std::string name_;
  std::string fault_;
};

Result<std::vector<WireMember>> parse_slices(std::string_view json, WireKind wanted) {
  JsonScanner scanner(json);
  scanner.members.reserve(members_usual);
  if (!scanner.scan(wanted)) return bad_json(scanner.fault());
  return std::move(scanner.members);
}

std::string escape_of(unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'\\', 'u', '0', '0', digits[c >> 4U], digits[c & 0xFU]};
}

}  // namespace

Result<std::vector<WireMember>> parse_wire_object(std::string_view json) {
  return parse_slices(json, WireKind::object);
}

Result<std::vector<WireValue>> parse_wire_list(std::string_view json) {
  auto members = parse_slices(json, WireKind::list);
  if (!members) return std::unexpected(members.error());
  std::vector<WireValue> values;
  for (WireMember& member : *members) values.push_back(std::move(member.value));
  return values;
}

const WireValue* find_member(const std::vector<WireMember>& members, std::string_view name) {
  const WireValue* found = nullptr;
  for (const WireMember& member : members) {
    if (member.name == name) found = &member.value;
  }
  return found == nullptr || found->kind == WireKind::null ? nullptr : found;
}

std::optional<std::int64_t> wire_whole_number(const WireValue& value) {
  if (value.kind != WireKind::number) return std::nullopt;
  std::int64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

void append_wire_quoted(std::string& quoted, std::string_view text) {
  quoted += '"';
  while (true) {
    const std::size_t plain = plain_length(text);
    quoted += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      quoted += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      quoted += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c < 0x20) {
      quoted += escape_of(c);
    } else {
      quoted += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  quoted += '"';
}

std::string wire_quoted(std::string_view text) {
  std::string quoted;
  append_wire_quoted(quoted, text);
  return quoted;
}

std::string wire_compact(std::string_view json) {
  std::string compact;
  bool is_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!is_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    if (c == '"') is_string = !is_string;
    if (c == '<' || c == '>' || c == '&') {
      compact += escape_of(static_cast<unsigned char>(c));
      continue;
    }
    compact += c;
    if (is_string && c == '\\') compact += json[++i];  // valid JSON does not end there
  }
  return compact;
}

}  // namespace almanac
