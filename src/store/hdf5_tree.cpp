#include "hdf5_tree.hpp"

#include <string_view>
#include <vector>

namespace daig::store::hdf5 {
namespace {

// Section numbers are those of "HDF5 File Format Specification Version 3.0".

constexpr std::uint64_t links_tree = 0;
constexpr std::uint64_t chunks_tree = 1;

/// Reads parts of a file that cannot need more bytes than it has, if none of them overlap.
class Parts {
 public:
  explicit Parts(FileBytes& file) : file_(file), left_(file.size()) {}

  std::vector<char> read(std::uint64_t address, std::uint64_t size) {
    count(size);
    return file_.read(address, size);
  }
  void count(std::uint64_t size) {
    if (size > left_) throw Failure("has parts that overlap");
    left_ -= size;
  }

 private:
  FileBytes& file_;
  std::uint64_t left_;
};

std::string_view view(const std::vector<char>& bytes) {
  return {bytes.data(), bytes.size()};
}

/// Visits key and address of each entry of a tree's leaves (III.A.1).
template <class Visit>
void for_each_entry(Parts& parts, std::uint64_t root, std::uint64_t kind, std::size_t key_bytes,
                    const Visit& visit) {
  struct Node {
    std::uint64_t address;
    std::uint64_t most_level;
  };
  constexpr std::size_t head_bytes = 24;
  std::vector<Node> nodes{{root, 255}};
  while (!nodes.empty()) {
    const auto [address, most_level] = nodes.back();
    nodes.pop_back();
    const std::vector<char> head = parts.read(address, head_bytes);
    Cursor start(view(head));
    if (start.take(4) != "TREE" || start.number(1) != kind) throw Failure("leads nowhere");
    const std::uint64_t level = start.number(1);
    if (level > most_level) throw Failure("leads round in circles");
    const std::uint64_t entries = start.number(2);
    const std::vector<char> body =
        parts.read(address + head_bytes, entries * (key_bytes + sizeof(std::uint64_t)));
    Cursor rest(view(body));
    for (std::uint64_t i = 0; i < entries; ++i) {
      const std::string_view key = rest.take(key_bytes);
      const std::uint64_t child = rest.number(8);
      if (level == 0) {
        visit(key, child);
      } else {
        nodes.push_back({child, level - 1});
      }
    }
  }
}

/// The texts of a group's links (III.D).
std::vector<char> read_heap(Parts& parts, std::uint64_t address) {
  const std::vector<char> head = parts.read(address, 32);
  Cursor start(view(head));
  if (start.take(4) != "HEAP") throw Failure("leads nowhere");
  start.take(4);
  const std::uint64_t size = start.number(8);
  start.take(8);
  return parts.read(start.number(8), size);
}

/// Some of a group's links (III.B).
void check_symbols(Parts& parts, std::uint64_t address, std::string_view heap) {
  constexpr std::size_t head_bytes = 8;
  constexpr std::size_t symbol_bytes = 40;
  constexpr std::uint64_t leads_to_path = 2;
  const std::vector<char> head = parts.read(address, head_bytes);
  Cursor start(view(head));
  if (start.take(4) != "SNOD") throw Failure("leads nowhere");
  start.take(2);
  const std::uint64_t symbols = start.number(2);
  const std::vector<char> body = parts.read(address + head_bytes, symbols * symbol_bytes);
  Cursor rest(view(body));
  const auto check_text = [&](std::uint64_t at) {
    const std::size_t end = heap.find('\0', at);
    if (end == std::string_view::npos) throw Failure("has a name without end");
    parts.count(end - at);
  };
  for (std::uint64_t i = 0; i < symbols; ++i) {
    check_text(rest.number(8));
    rest.take(8);
    const std::uint64_t kind = rest.number(4);
    rest.take(4);
    const std::uint64_t path = rest.number(4);
    rest.take(12);
    if (kind == leads_to_path) check_text(path);
  }
}

}  // namespace

void check_links(FileBytes& file, std::uint64_t tree, std::uint64_t heap) {
  Parts parts(file);
  const std::vector<char> texts = read_heap(parts, heap);
  Parts named(file);  // names lie in the texts, which are counted already
  for_each_entry(parts, tree, links_tree, sizeof(std::uint64_t),
                 [&](std::string_view /*key*/, std::uint64_t symbols) {
                   check_symbols(named, symbols, view(texts));
                 });
}

void check_chunks(FileBytes& file, std::uint64_t tree, std::uint64_t axes) {
  Parts parts(file);
  for_each_entry(parts, tree, chunks_tree, 8 + 8 * axes,
                 [&](std::string_view key, std::uint64_t chunk) {
                   file.expect_inside(chunk, little_endian(key, 0, 4));
                 });
}

}  // namespace daig::store::hdf5
