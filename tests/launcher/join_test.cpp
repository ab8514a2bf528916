#include "launcher/join.hpp"

#include <boost/test/unit_test.hpp>

#include <daig/core/error.hpp>

BOOST_AUTO_TEST_SUITE(join_test)

namespace {

using daig::launcher::decode_order;
using daig::launcher::encode;
using daig::launcher::JoinOrder;

const JoinOrder order{"/a folder",
                      {"./program", "", "two words", "line\nbreak"},
                      {{"NAME", "value=with=equals"}, {"EMPTY", ""}}};

BOOST_AUTO_TEST_CASE(an_order_comes_as_it_went) {
  BOOST_TEST((decode_order(encode(order)) == order));
  const JoinOrder least{"", {"p"}, {}};
  BOOST_TEST((decode_order(encode(least)) == least));
  // What follows is not its business.
  BOOST_TEST((decode_order(encode(order) + "L") == order));
}

BOOST_AUTO_TEST_CASE(a_part_of_an_order_is_waited_for) {
  const std::string text = encode(order);
  for (std::size_t size = 0; size < text.size(); ++size) {
    BOOST_TEST(!decode_order(text.substr(0, size)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_order_is_refused) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"d\0none\0"s, "d\0-1\0"s, "d\0\0"s, "d\0000\0"s, "d\09999999999\0"s,
        "d\0001\0p\0novalue\0"s, "d\0001\0p\0=x\0"s}) {
    BOOST_CHECK_THROW(decode_order(text), daig::InputError);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
