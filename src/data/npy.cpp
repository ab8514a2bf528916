#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/data/npy.hpp>

#include "file.hpp"
#include "finish_header.hpp"
#include "python_lines.hpp"

namespace daig::data {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);

/// The type of a dtype without its byte order.
std::optional<ElementType> type_named(std::string_view kind) {
  if (kind == "b1" || kind == "?") return ElementType::boolean;
  if (kind == "i1") return ElementType::i8;
  if (kind == "u1") return ElementType::u8;
  if (kind == "i2") return ElementType::i16;
  if (kind == "u2") return ElementType::u16;
  if (kind == "i4") return ElementType::i32;
  if (kind == "u4") return ElementType::u32;
  if (kind == "i8") return ElementType::i64;
  if (kind == "u8") return ElementType::u64;
  if (kind == "f2") return ElementType::f16;
  if (kind == "f4") return ElementType::f32;
  if (kind == "f8") return ElementType::f64;
  return std::nullopt;
}

/// Reads the header's text: a Python dict of three known keys, in any order and spacing, that
/// NumPy writes with repr() and reads with ast.literal_eval().
class HeaderText {
 public:
  HeaderText(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  ArrayHeader parse();

 private:
  [[noreturn]] void fail(std::string_view wanted) const {
    const std::string_view here = rest_.substr(0, rest_.find_first_of("\n\r\t")).substr(0, 40);
    throw InputError(name_,
                     fmt::format("its .npy header is damaged: {} expected before '{}'; write "
                                 "the file again with numpy.save",
                                 wanted, printable(here)));
  }

  static std::string printable(std::string_view text) {
    std::string shown(text);
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
  }

  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n\f"), rest_.size()));
  }

  bool accept(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail(token);
  }

  std::string_view parse_string() {
    skip_spaces();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') fail("a string");
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) fail("a string that ends");
    const std::string_view value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }

  bool parse_bool() {
    if (accept("True")) return true;
    if (accept("False")) return false;
    fail("True or False");
  }

  std::uint64_t parse_extent() {
    skip_spaces();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) fail("an extent from 0 to 2^64 - 1");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    accept("L");  // a long integer of Python 2
    return value;
  }

  Shape parse_shape() {
    Shape shape;
    expect("(");
    while (!accept(")")) {
      if (shape.size() == max_rank) fail(fmt::format("no more than {} axes", max_rank));
      shape.push_back(parse_extent());
      if (!accept(",")) {
        if (shape.size() == 1) fail("the comma of a tuple");  // (3) is a number in Python
        expect(")");
        break;
      }
    }
    return shape;
  }

  void parse_dtype(ArrayHeader& header);

  std::string_view rest_;
  std::string_view name_;
};

void HeaderText::parse_dtype(ArrayHeader& header) {
  skip_spaces();
  if (rest_.starts_with('[')) {
    throw InputError(name_, fmt::format("its dtype is a record with named fields, {}; DAIG reads "
                                        "plain arrays: save one field, np.save(file, "
                                        "array['field'].astype('f4'))",
                                        printable(rest_.substr(0, rest_.find(']') + 1))));
  }
  const std::string_view dtype = parse_string();
  std::string_view kind = dtype;
  char order = '=';
  if (!kind.empty() && std::string_view("<>=|").find(kind.front()) != std::string_view::npos) {
    order = kind.front();
    kind.remove_prefix(1);
  }
  header.byte_order = order == '>' ? ByteOrder::big : ByteOrder::little;
  if (const auto type = type_named(kind)) {
    header.type = *type;
  } else if (kind.starts_with('O')) {
    throw InputError(name_, fmt::format("its dtype is '{}', pickled Python objects, {}",
                                        printable(dtype), detail::unpickling_advice(name_)));
  } else {
    throw InputError(name_, fmt::format("its dtype is '{}'; DAIG reads booleans, integers and "
                                        "floats of 16 to 64 bits. Convert it: {}",
                                        printable(dtype), detail::converting_line(name_)));
  }
}

ArrayHeader HeaderText::parse() {
  ArrayHeader header;
  bool has_dtype = false, has_order = false, has_shape = false;
  const auto once = [this](bool& seen) {
    if (seen) fail("each key once");
    seen = true;
  };
  expect("{");
  while (!accept("}")) {
    const std::string_view key = parse_string();
    expect(":");
    if (key == "descr") {
      once(has_dtype);
      parse_dtype(header);
    } else if (key == "fortran_order") {
      once(has_order);
      header.index_order = parse_bool() ? IndexOrder::fortran : IndexOrder::c;
    } else if (key == "shape") {
      once(has_shape);
      header.shape = parse_shape();
    } else {
      fail("one of the keys descr, fortran_order and shape");
    }
    if (!accept(",")) {
      expect("}");
      break;
    }
  }
  skip_spaces();
  if (!rest_.empty()) fail("the end of the header");
  if (!has_dtype || !has_order || !has_shape) fail("all of descr, fortran_order and shape");
  return header;
}

/// Removes a file that was not renamed.
class TemporaryName {
 public:
  explicit TemporaryName(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  TemporaryName(TemporaryName&&) = delete;
  TemporaryName& operator=(TemporaryName&&) = delete;
  ~TemporaryName() {
    std::error_code ignored;  // after the renaming there is nothing to remove
    std::filesystem::remove(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string header_of(std::span<const std::uint64_t> shape) {
  constexpr std::size_t before_text = magic.size() + 2 + 2;  // magic, version, length
  constexpr std::size_t alignment = 64;                      // of the first element, as NumPy does
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}", to_text(shape));
  const std::size_t unpadded = before_text + text.size() + 1;
  text.append((alignment - unpadded % alignment) % alignment, ' ');
  text += '\n';
  std::string header(magic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

bool is_npy(std::span<const std::byte> start) {
  return start.size() >= magic.size() && std::memcmp(start.data(), magic.data(), magic.size()) == 0;
}

ArrayHeader parse_npy_header(std::span<const std::byte> start, std::string_view name) {
  if (!is_npy(start)) throw InputError(name, "does not begin as a .npy file does");
  const auto byte_at = [start](std::size_t at) {
    return std::to_integer<std::uint32_t>(start[at]);
  };
  const auto require = [&](std::size_t bytes) {
    if (start.size() >= bytes) return;
    if (start.size() >= max_header_bytes) {
      throw InputError(name,
                       fmt::format("its .npy header claims {} bytes; no array that DAIG reads "
                                   "needs more than {}, so the header is damaged",
                                   bytes, max_header_bytes));
    }
    throw InputError(name, fmt::format("is truncated: its .npy header takes {} bytes, the file has "
                                       "{}",
                                       bytes, start.size()));
  };

  std::size_t at = magic.size();
  require(at + 2);
  const std::uint32_t version = byte_at(at);
  if (version < 1 || version > 3 || byte_at(at + 1) != 0) {
    throw InputError(name, fmt::format("its .npy format version is {}.{}; DAIG reads 1.0, 2.0 and "
                                       "3.0",
                                       version, byte_at(at + 1)));
  }
  at += 2;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  require(at + length_bytes);
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= byte_at(at + i) << (8 * i);
  at += length_bytes;
  require(at + length);

  const std::string_view text(reinterpret_cast<const char*>(start.data()) + at, length);
  ArrayHeader header = HeaderText(text, name).parse();
  header.data_offset = at + length;
  detail::finish_header(header, name);
  return header;
}

void write_npy(const std::filesystem::path& path, std::span<const std::uint64_t> shape,
               std::span<const float> values) {
  expects(elements_in(shape, sizeof(float)) == values.size(), "as many values as the shape has");
  expects(shape.size() <= max_rank, "a shape that can be read again");
  const TemporaryName temporary(fmt::format("{}.{}.tmp", path.native(), ::getpid()));
  const std::string header = header_of(shape);
  detail::File file = detail::File::create(temporary.path());
  file.append(std::as_bytes(std::span(header)));
  file.append(std::as_bytes(values));
  file.flush();
  std::error_code error;
  std::filesystem::rename(temporary.path(), path, error);
  if (error) {
    throw IoError(fmt::format("{}: the finished file cannot be given this name: {}", path.native(),
                              error.message()));
  }
}

}  // namespace daig::data
