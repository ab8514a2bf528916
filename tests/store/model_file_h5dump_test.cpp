/// Model files seen by h5dump, HDF5's own tool. Skipped, visibly, where it is not installed.

#define BOOST_TEST_MODULE store_model_file_h5dump
#define BOOST_TEST_NO_MAIN
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>
#include <support/temporary_folder.hpp>

#include <daig/store/model_file.hpp>

#include "sample_model.hpp"

namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
  return output;
}

}  // namespace

BOOST_AUTO_TEST_CASE(h5dump_finds_the_values_where_the_document_says) {
  const daig::test::TemporaryFolder folder;
  const auto path = folder / "model.h5";
  daig::store::write_model(path, daig::test::sample_model());
  const auto dump = [&](const std::string& options) {
    return output_of("h5dump -m %.2f " + options + " '" + path.string() + "'");
  };
  const std::string bias = dump("-d /weights/dense_1/bias");
  BOOST_TEST(bias.find("H5T_IEEE_F32LE") != std::string::npos, bias);
  BOOST_TEST(bias.find("(4): 7.25") != std::string::npos, bias);
  const std::string slot = dump("-d /optimizer/momentum/dense_1/bias");
  BOOST_TEST(slot.find("(4): -29.00") != std::string::npos, slot);
  const std::string step = dump("-a /step");
  BOOST_TEST(step.find("(0): 120") != std::string::npos, step);
  const std::string spec = dump("-a /spec");
  BOOST_TEST(spec.find("\"mlp:3-5-2\"") != std::string::npos, spec);
}

int main(int argc, char** argv) {
  if (std::system("h5dump --version > /dev/null 2>&1") != 0) {
    std::puts("skipped: h5dump is not installed (Debian: hdf5-tools)");
    return 77;
  }
  return boost::unit_test::unit_test_main(&init_unit_test, argc, argv);
}
