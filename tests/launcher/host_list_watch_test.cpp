#include "launcher/host_list_watch.hpp"

#include <fstream>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

#include "launcher/growth.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(host_list_watch_test)

namespace {

using namespace std::chrono_literals;
using daig::Clock;
using daig::Deadline;
using daig::launcher::host_list;
using daig::launcher::HostListSource;
using daig::launcher::HostListWatch;
using daig::test::TemporaryFolder;

std::string list_of(const HostListWatch& watch) {
  return watch.list() ? host_list(*watch.list()) : "none";
}

/// Checks until it is so, for as long as no slow machine needs.
template <class Condition>
bool comes_true(HostListWatch& watch, Condition&& condition) {
  const Deadline deadline = Deadline::in(60s);
  while (!condition()) {
    if (deadline.expired()) return false;
    watch.check();
    std::this_thread::yield();
  }
  return true;
}

/// What is written to stderr while it lives goes to a file.
class Complaints {
 public:
  explicit Complaints(std::filesystem::path path)
      : path_(std::move(path)), before_(::dup(STDERR_FILENO)) {
    static_cast<void>(std::freopen(path_.c_str(), "w", stderr));
  }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  Complaints(Complaints&&) = delete;
  Complaints& operator=(Complaints&&) = delete;
  ~Complaints() {
    std::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  std::string text() const {
    std::fflush(stderr);
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path path_;
  int before_;
};

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

struct Place {
  void write(const std::string& text) const { std::ofstream(folder / "hosts") << text; }
  TemporaryFolder folder;
};

BOOST_AUTO_TEST_CASE(a_file_that_changes_is_read_again) {
  const Place place;
  place.write("localhost:1\na:2\n");
  HostListWatch watch({.file = place.folder / "hosts"});
  watch.read_file();
  BOOST_TEST(list_of(watch) == "localhost:1,a:2");
  place.write("localhost:1\na:2\nb:1\n");
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:1,a:2,b:1"; }));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_bad_at_the_start_is_an_error) {
  const Place place;
  HostListWatch watch({.file = place.folder / "hosts"});
  BOOST_CHECK_THROW(watch.read_file(), daig::InputError);
  place.write("a:0\n");
  BOOST_CHECK_THROW(watch.read_file(), daig::InputError);
}

BOOST_AUTO_TEST_CASE(a_file_that_turns_bad_changes_nothing_and_is_said_once) {
  const Place place;
  place.write("localhost\na:2\n");
  HostListWatch watch({.file = place.folder / "hosts"});
  watch.read_file();
  const Complaints complaints(place.folder / "stderr");
  place.write("a:0\n");
  BOOST_TEST(comes_true(watch, [&] { return count(complaints.text(), "\n") == 1; }));
  BOOST_TEST(complaints.text().find("hosts:1: a has '0' slots; slots are a number from 1 to 100000;"
                                    " the hosts stay as they were") != std::string::npos);
  place.write("b:0\n");
  std::filesystem::remove(place.folder / "hosts");
  BOOST_TEST(comes_true(watch, [&] { return count(complaints.text(), "cannot be read") == 1; }));
  BOOST_TEST(list_of(watch) == "localhost:1,a:2");
  place.write("localhost:3\n");
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:3"; }));
  BOOST_TEST(count(complaints.text(), "\n") == 2);
}

BOOST_AUTO_TEST_CASE(a_command_is_asked_again_and_again) {
  const Place place;
  place.write("localhost:1\n");
  const std::string file = (place.folder / "hosts").string();
  HostListWatch watch({.file = {}, .command = "echo noise >&2; cat " + file, .every = 1ms});
  BOOST_TEST(list_of(watch) == "none");
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:1"; }));
  place.write("localhost:1\nb slots=3  # new\n");
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:1,b:3"; }));
}

BOOST_AUTO_TEST_CASE(each_kind_of_trouble_is_said_once_until_all_is_well) {
  const Place place;
  const auto script = [&](const std::string& text) {
    std::ofstream(place.folder / "new") << "echo >> " << (place.folder / "asked").string() << "\n"
                                        << text << "\n";
    std::filesystem::rename(place.folder / "new", place.folder / "script");
  };
  const auto times_asked = [&] {
    std::ifstream file(place.folder / "asked");
    return count({std::istreambuf_iterator<char>(file), {}}, "\n");
  };
  script("echo localhost:2");
  HostListWatch watch({.file = {},
                       .command = "sh " + (place.folder / "script").string(),
                       .every = 1ms,
                       .patience = 2s});
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:2"; }));
  const Complaints complaints(place.folder / "stderr");
  const auto asked_thrice_more = [&] {
    const int before = times_asked();
    return comes_true(watch, [&] { return times_asked() > before + 3; });
  };
  script("echo a; echo first >&2; echo no such thing >&2; exit 3");
  BOOST_TEST(asked_thrice_more());
  script("echo 'a b c'");
  BOOST_TEST(asked_thrice_more());
  script("true");  // no host at all
  BOOST_TEST(asked_thrice_more());
  script("sleep 1000");
  BOOST_TEST(comes_true(watch, [&] { return count(complaints.text(), "was killed") > 0; }));
  const std::string text = complaints.text();
  BOOST_TEST(count(text, "ended with exit code 3: no such thing; the hosts stay") == 1, text);
  BOOST_TEST(count(text, "'b' is not understood") == 1, text);
  BOOST_TEST(count(text, "\n") == 3, text);
  BOOST_TEST(list_of(watch) == "localhost:2");
  script("echo localhost:5");
  BOOST_TEST(comes_true(watch, [&] { return list_of(watch) == "localhost:5"; }));
  script("exit 4");
  BOOST_TEST(comes_true(watch, [&] { return count(complaints.text(), "exit code 4") == 1; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
