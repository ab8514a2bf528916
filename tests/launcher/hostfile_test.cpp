#include "launcher/hostfile.hpp"

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(hostfile_test)

namespace {

using daig::InputError;
using daig::launcher::Host;
using daig::launcher::host_list;
using daig::launcher::parse_hostfile;

std::string list_of(const std::string& text) {
  return host_list(parse_hostfile(text, "hosts", "here.example.org"));
}

BOOST_AUTO_TEST_CASE(a_line_is_a_host) {
  BOOST_TEST(list_of("here\nnodea:4\nnodeb slots=2\n") == "here:1,nodea:4,nodeb:2");
  BOOST_TEST(list_of("# all of them\n\n  here:2   # this one\n10.0.0.7:3") == "here:2,10.0.0.7:3");
}

BOOST_AUTO_TEST_CASE(this_machine_comes_first) {
  BOOST_TEST(list_of("nodea:4\nnodeb:2\nhere:3\nnodec\n") == "here:3,nodea:4,nodeb:2,nodec:1");
  BOOST_TEST(list_of("nodea:4\nhere.example.org:3\n") == "here.example.org:3,nodea:4");
  BOOST_TEST(list_of("nodea:4\nlocalhost\n") == "localhost:1,nodea:4");
  // Not named: it takes rank 0 alone.
  BOOST_TEST(list_of("nodea:4\nnodeb\n") == "localhost:1,nodea:4,nodeb:1");
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_refused_with_its_line) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no host is named"},
      {"# nothing\n", "no host is named"},
      {"nodea\nnodeb:0\n", "hosts:2: nodeb has '0' slots"},
      {"nodea:\n", "hosts:1: nodea has '(nothing)' slots"},
      {"nodea slots=\n", "hosts:1: nodea has '(nothing)' slots"},
      {"nodea:-3\n", "hosts:1: nodea has '-3' slots"},
      {"nodea:99999999999\n", "hosts:1"},
      {"nodea:4x\n", "'4x' slots"},
      {"nodea slots=2 max_slots=4\n", "'max_slots=4' is not understood"},
      {"nodea:2 slots=2\n", "'slots=2' is not understood"},
      {"nodea,nodeb\n", "'nodea,nodeb' is no host name"},
      {"--mca\n", "'--mca' is no host name"},
      {"nodea\n\nnodea:2\n", "hosts:3: nodea is there twice"},
  };
  for (const auto& [text, mention] : cases) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK_EXCEPTION(list_of(text), InputError,
                            [&mention = mention](const InputError& error) {
                              return std::string(error.what()).find(mention) != std::string::npos;
                            });
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_named) {
  const daig::test::TemporaryFolder folder;
  for (const std::filesystem::path& path : {folder / "none", folder.path()}) {
    BOOST_CHECK_EXCEPTION(daig::launcher::read_hostfile(path), InputError,
                          [&](const InputError& error) {
                            return std::string(error.what()).find(path.string()) == 0;
                          });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
