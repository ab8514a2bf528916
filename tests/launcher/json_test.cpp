#include "launcher/json.hpp"

#include <limits>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

BOOST_AUTO_TEST_SUITE(json_test)

namespace {

using daig::launcher::JsonObject;

BOOST_AUTO_TEST_CASE(another_reader_finds_what_was_written) {
  const std::string wild = "a\"b\\c\n\t\x01 d/\xC3\xA9";
  JsonObject inner;
  inner.add("i", 1).add("yes", true);
  const JsonObject object = JsonObject()
                                .add("text", wild)
                                .add("literal", "x")
                                .add("big", std::numeric_limits<std::uint64_t>::max())
                                .add("small", -5)
                                .add("real", 0.1)
                                .add("none", std::numeric_limits<double>::quiet_NaN())
                                .add("nothing", nullptr)
                                .add("inner", inner)
                                .add("list", std::vector<JsonObject>{inner, inner})
                                .add("empty", std::vector<JsonObject>{});
  BOOST_TEST(object.text().find('\n') == std::string::npos);
  const auto read = nlohmann::json::parse(object.text());
  BOOST_TEST(read.at("text").get<std::string>() == wild);
  BOOST_TEST(read.at("literal").get<std::string>() == "x");
  BOOST_TEST(read.at("big").get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(read.at("small").get<int>() == -5);
  BOOST_TEST(read.at("real").get<double>() == 0.1);
  BOOST_TEST(read.at("none").is_null());
  BOOST_TEST(read.at("nothing").is_null());
  BOOST_TEST(read.at("inner").at("i").get<int>() == 1);
  BOOST_TEST(read.at("list").size() == 2);
  BOOST_TEST(read.at("list").at(1).at("yes").get<bool>());
  BOOST_TEST(read.at("empty").empty());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
