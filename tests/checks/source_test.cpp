#define BOOST_TEST_MODULE checks_source
#include <algorithm>
#include <regex>
#include <string>

#include <boost/test/unit_test.hpp>
#include <checks/source.hpp>

using namespace daig::checks;

namespace {

SourceFile file(const char* path, std::string text) {
  return {path, std::move(text)};
}

BOOST_AUTO_TEST_SUITE(the_project)

// One case a rule, so that a finding names its rule.
struct Project {
  std::vector<SourceFile> files = read_project(DAIG_SOURCE_DIR);

  void check_all(Findings (*rule)(const SourceFile&)) const {
    for (const SourceFile& each : files) {
      for (const std::string& finding : rule(each)) BOOST_ERROR(finding);
    }
  }
};

BOOST_FIXTURE_TEST_CASE(is_found_where_it_lies, Project) {
  const auto holds = [&](const char* path) {
    return std::any_of(files.begin(), files.end(),
                       [&](const SourceFile& each) { return each.path == path; });
  };
  BOOST_CHECK(holds("include/daig/core/id.hpp"));
  BOOST_CHECK(holds("tests/checks/source.hpp"));
  BOOST_CHECK(holds("CMakeLists.txt"));
  BOOST_CHECK(holds("scripts/test"));
}

BOOST_FIXTURE_TEST_CASE(keeps_to_its_floors, Project) {
  check_all(check_floors);
}

BOOST_FIXTURE_TEST_CASE(keeps_outside_headers_in_their_place, Project) {
  check_all(check_outside_headers);
}

BOOST_FIXTURE_TEST_CASE(has_the_files_that_its_map_names, Project) {
  const auto is_there = [&](const std::string& name) {
    return std::ranges::any_of(files, [&](const SourceFile& each) {
      return ("/" + each.path.string()).ends_with("/" + name);
    });
  };
  const std::regex named("`([A-Za-z0-9_./-]+/[A-Za-z0-9_.-]+\\.(hpp|cpp|cmake|md))`");
  std::size_t names = 0;
  for (const SourceFile& each : files) {
    if (each.path != "ARCHITECTURE.md") continue;
    for (std::sregex_iterator name(each.text.begin(), each.text.end(), named), end; name != end;
         ++name, ++names) {
      BOOST_TEST(is_there((*name)[1]), each.path << " names " << (*name)[1] << ", which is gone");
    }
  }
  BOOST_TEST(names > 20u);
}

BOOST_FIXTURE_TEST_CASE(is_tidy, Project) {
  check_all(check_tidiness);
}

BOOST_AUTO_TEST_SUITE_END()

// Rules that found nothing anywhere would pass too: each is shown what it must find.
BOOST_AUTO_TEST_SUITE(the_rules)

BOOST_AUTO_TEST_CASE(a_lower_floor_and_the_own_folder_may_be_included) {
  const char* text = "#include <daig/core/id.hpp>\n#include <daig/control/ticket.hpp>\n";
  BOOST_CHECK(check_floors(file("include/daig/control/queue.hpp", text)).empty());
  BOOST_CHECK(check_floors(file("src/control/queue.cpp", text)).empty());
}

BOOST_AUTO_TEST_CASE(a_sibling_or_a_higher_floor_is_found) {
  BOOST_CHECK_EQUAL(
      check_floors(file("include/daig/comm/a.hpp", "#include <daig/data/b.hpp>\n")).size(), 1u);
  BOOST_CHECK_EQUAL(
      check_floors(file("include/daig/comm/a.hpp", "#  include <daig/train/b.hpp>\n")).size(), 1u);
  BOOST_CHECK_EQUAL(check_floors(file("src/comm/a.cpp", "#include \"daig/nn/b.hpp\"\n")).size(),
                    1u);
  const Findings findings = check_floors(
      file("include/daig/core/a.hpp", "#pragma once\n\n#include <daig/comm/view.hpp>\n"));
  BOOST_REQUIRE_EQUAL(findings.size(), 1u);
  BOOST_CHECK_EQUAL(findings[0],
                    "include/daig/core/a.hpp:3: core (floor 0) includes daig/comm/view.hpp, which "
                    "is not on a lower floor");
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_floor_is_found) {
  BOOST_CHECK_EQUAL(check_floors(file("include/daig/misc/a.hpp", "")).size(), 1u);
  BOOST_CHECK_EQUAL(
      check_floors(file("include/daig/train/a.hpp", "#include <daig/misc/b.hpp>\n")).size(), 1u);
}

BOOST_AUTO_TEST_CASE(everybody_above_the_library_may_include_all_of_it) {
  const char* text = "#include <daig/train/session.hpp>\n#include <daig/core/id.hpp>\n";
  BOOST_CHECK(check_floors(file("launcher/train.cpp", text)).empty());
  BOOST_CHECK(check_floors(file("tests/core/id_test.cpp", text)).empty());
}

BOOST_AUTO_TEST_CASE(the_detail_of_another_folder_is_found) {
  const char* text = "#include <daig/comm/detail/mailbox.hpp>\n";
  BOOST_CHECK(check_floors(file("include/daig/comm/in_process.hpp", text)).empty());
  BOOST_CHECK(check_floors(file("tests/comm/mailbox_test.cpp", text)).empty());
  BOOST_CHECK_EQUAL(check_floors(file("launcher/train.cpp", text)).size(), 1u);
  BOOST_CHECK_EQUAL(check_floors(file("include/daig/train/loop.hpp", text)).size(), 1u);
}

BOOST_AUTO_TEST_CASE(outside_headers_stay_in_src) {
  for (const char* header :
       {"mpi.h", "hdf5.h", "sqlite3.h", "cblas.h", "zlib.h", "nlohmann/json.hpp", "CLI/CLI.hpp"}) {
    BOOST_TEST_CONTEXT(header) {
      const std::string text = fmt::format("#include <{}>\n", header);
      BOOST_CHECK_EQUAL(check_outside_headers(file("include/daig/nn/a.hpp", text)).size(), 1u);
    }
  }
  BOOST_CHECK(check_outside_headers(file("src/comm/a.cpp", "#include <mpi.h>\n")).empty());
  BOOST_CHECK_EQUAL(check_outside_headers(file("launcher/main.cpp", "#include <mpi.h>\n")).size(),
                    1u);
}

BOOST_AUTO_TEST_CASE(the_command_line_and_drawing_stay_in_the_launcher) {
  for (const char* text : {"#include <CLI/CLI.hpp>\n", "#include <cairo/cairo.h>\n"}) {
    BOOST_CHECK(check_outside_headers(file("launcher/main.cpp", text)).empty());
    BOOST_CHECK(check_outside_headers(file("benchmarks/ring.cpp", text)).empty());
    BOOST_CHECK_EQUAL(check_outside_headers(file("src/store/a.cpp", text)).size(), 1u);
  }
}

BOOST_AUTO_TEST_CASE(standard_headers_fmt_and_daig_are_welcome_but_not_in_quotes) {
  const char* text = "#include <vector>\n#include <fmt/format.h>\n#include <daig/core/id.hpp>\n";
  BOOST_CHECK(check_outside_headers(file("include/daig/comm/a.hpp", text)).empty());
  BOOST_CHECK_EQUAL(
      check_outside_headers(file("src/comm/a.cpp", "#include \"daig/core/id.hpp\"\n")).size(), 1u);
}

BOOST_AUTO_TEST_CASE(untidiness_is_found) {
  const auto found_in = [](const char* path, const std::string& text) {
    return check_tidiness(file(path, text)).size();
  };
  BOOST_CHECK_EQUAL(found_in("a.md", "fine\n"), 0u);
  BOOST_CHECK_EQUAL(found_in("a.md", ""), 0u);
  BOOST_CHECK_EQUAL(found_in("a.md", "a\tb\n"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.md", "a \n"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.md", "a\r\n"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.md", "a"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.md", std::string("see /ho") + "me/me/notes\n"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.cpp", std::string("// TO") + "DO: later\n"), 1u);
  BOOST_CHECK_EQUAL(found_in("a.hpp", "#pragma once\n"), 0u);
  BOOST_CHECK_EQUAL(found_in("a.hpp", "#include <vector>\n#pragma once\n"), 1u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
