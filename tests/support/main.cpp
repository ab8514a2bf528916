// The main function of a folder's tests.

#define BOOST_TEST_MODULE daig
#include <boost/test/unit_test.hpp>
