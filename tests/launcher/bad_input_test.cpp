// What cannot work is refused with one line that names it, the right exit code, and nothing left
// behind; whichever command it is, and before any work is done.

#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "launcher/command.hpp"
#include "launcher/sample_data.hpp"
#include "support/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(bad_input_test)

namespace {

using namespace daig::test;
namespace fs = std::filesystem;

constexpr int usage = 2;
constexpr int input = 3;
constexpr int io = 4;

struct Case {
  Words words;
  int code;
  std::string mention;
};

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Training that would work; later options spoil it.
const Words train{"train", "--model", "mlp:8-4-3", "--in-process", "-n", "3"};
const Words good = train + Words{"--data", "x.npy", "--labels", "y.npy"};

Words with_data(const std::string& file) {
  return train + Words{"--data", file, "--labels", "y.npy"};
}
Words with_labels(const std::string& file) {
  return train + Words{"--data", "x.npy", "--labels", file};
}

/// A working folder with good and bad files.
struct Workplace {
  Workplace() {
    const auto write = [&](const std::string& name, const Bytes& bytes) {
      write_file(folder / name, bytes);
    };
    const auto cut = [](Bytes bytes) {
      bytes.resize(bytes.size() - 7);
      return bytes;
    };
    const Samples samples = draw_samples(96, 1);
    const Bytes x = features_npy(samples.features);
    write("x.npy", x);
    write("y.npy", classes_npy(samples.classes));
    write("cut.npy", cut(x));
    write("cut.gz", cut(gzip(x)));
    write("no.magic", to_bytes("this is no array at all"));
    write("huge.npy", npy("<f4", "(1152921504606846976, 8)", {}));
    write("wide.npy", npy("<f4", "(1152921504606846976, 1152921504606846976)", {}));
    write("short.npy", classes_npy(draw_samples(95, 1).classes));
    auto classes = samples.classes;
    classes[50] = 3;
    write("class3.npy", classes_npy(classes));
    classes[50] = -1;
    write("class-1.npy", classes_npy(classes));
    auto features = samples.features;
    features[50 * sample_size + 2] = std::numeric_limits<float>::quiet_NaN();
    write("nan.npy", features_npy(features));
    write("floats.npy", npy("<f4", "(96, 3)", raw(std::vector<float>(96 * 3))));
    write("halves.npy", npy("<f8", "(96,)", raw(std::vector<double>(96, 0.5))));
    write("one_hot.npy", npy("|u1", "(96, 3)", raw(std::vector<std::uint8_t>(96 * 3, 1))));
    write("objects.npy", npy("|O", "(96,)", to_bytes("\x80\x04\x95")));
    write("no.h5", to_bytes("this is no model"));
    write("bad.hosts", to_bytes("nodea slots=none\n"));
    fs::create_directory(folder / "empty");
    const Ended made =
        run({DAIG_COMMAND, "train", "--model", "mlp:8-4-3", "-n", "1", "--data", "x.npy",
             "--labels", "y.npy", "--run-dir", "run", "--out", "good.h5", "--epochs", "1"},
            folder.path());
    BOOST_REQUIRE_MESSAGE(made.code == 0, made.error);
    write("cut.h5", cut(read_file(folder / "good.h5")));
  }

  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      found.insert(entry.path().string());
    }
    return found;
  }

  TemporaryFolder folder;
};

void check_cases(const std::vector<Case>& cases) {
  const Workplace place;
  const auto before = place.names();
  for (const Case& bad : cases) {
    std::string line;
    for (const std::string& word : bad.words) line += " " + word;
    BOOST_TEST_CONTEXT("daig" << line) {
      const Ended ended = run(Words{DAIG_COMMAND} + bad.words, place.folder.path());
      BOOST_TEST(ended.code == bad.code);
      BOOST_TEST_CONTEXT(ended.error) {
        BOOST_TEST(ended.out == "");
        BOOST_TEST(ended.error.starts_with("daig: error: "));
        BOOST_TEST(ended.error.find('\n') + 1 == ended.error.size());
        BOOST_TEST(contains(ended.error, bad.mention), "should mention " << bad.mention);
      }
      BOOST_TEST((place.names() == before), "something is left behind");
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used) {
  check_cases({
      {with_data("none.npy"), input, "none.npy"},
      {with_data("empty"), input, "empty"},
      {with_data("cut.npy"), input, "cut.npy"},
      {with_data("cut.gz"), input, "cut.gz"},
      {with_data("no.magic"), input, "no.magic"},
      {with_data("huge.npy"), input, "huge.npy"},
      {with_data("wide.npy"), input, "wide.npy"},
      {with_data("nan.npy"), input, "nan.npy"},
      {with_labels("none.npy"), input, "none.npy"},
      {with_labels("short.npy"), input, "short.npy"},
      {with_labels("class3.npy"), input, "class3.npy"},
      {with_labels("class-1.npy"), input, "class-1.npy"},
      {with_labels("floats.npy"), usage, "floats.npy: a sample has 3 labels"},
      {with_labels("one_hot.npy"), usage, "array.argmax(1)"},
      {with_labels("halves.npy"), input, "halves.npy: the label of sample 0 is 0.5"},
      {with_labels("y.npy") + Words{"--model", "mlp:8-4-3,loss=mse"}, usage, "takes 3 targets"},
      {good + Words{"--test-data", "nan.npy", "--test-labels", "y.npy"}, input, "nan.npy"},
      {good + Words{"--test-data", "x.npy", "--test-labels", "class3.npy"}, input, "class3.npy"},
      {train + Words{"--dataset", "empty"}, input, "empty"},
      {train + Words{"--dataset", "x.npy"}, input, "x.npy"},
      {with_data("x.npy:a"), input, "x.npy"},
      {with_data("none-*.npy"), input, "none-*.npy"},
      {with_data("*.npy"), input, "cut.npy"},
      {good + Words{"--data", "floats.npy"}, input, "floats.npy: holds f32 of shape (3,)"},
      {with_data("objects.npy"), input, "allow_pickle=True"},
      {with_data("good.h5:/none"), input, "good.h5"},
      {with_data("good.h5"), input, "say which array is meant"},
      {good + Words{"--validation-data", "nan.npy", "--validation-labels", "y.npy"}, input,
       "nan.npy"},
      {train + Words{"--dataset", "no-such-dataset"}, input, "no-such-dataset"},
      {good + Words{"--model", "none.h5"}, input, "none.h5"},
      {good + Words{"--model", "no.h5"}, input, "no.h5"},
      {good + Words{"--model", "cut.h5"}, input, "cut.h5"},
      {good + Words{"--resume", "empty"}, usage, "--resume"},
      {{"train", "--resume", "empty"}, input, "empty"},
      {{"train", "--resume", "none"}, input, "none"},
      {{"train", "--resume", "run"}, usage, "finished"},
  });
}

BOOST_AUTO_TEST_CASE(settings_that_make_no_sense) {
  check_cases({
      {train, usage, "--data"},
      {train + Words{"--data", "x.npy"}, usage, "--labels"},
      {good + Words{"--dataset", "fashion-mnist"}, usage, "--dataset"},
      {good + Words{"--scale", "1/0"}, usage, "--scale"},
      {good + Words{"--scale", "bytes"}, usage, "--scale"},
      {good + Words{"--validation-split", "1"}, usage, "--validation-split"},
      {good + Words{"--validation-split", "-0.5"}, usage, "--validation-split"},
      {good + Words{"--validation-split", "0.999"}, usage, "0.999"},
      {good + Words{"--validation-data", "x.npy"}, usage, "--validation-labels"},
      {good + Words{"--validation-split", "0.5", "--validation-data", "x.npy",
                    "--validation-labels", "y.npy"},
       usage, "--validation-split"},
      {good + Words{"--test-data", "x.npy"}, usage, "--test-labels"},
      {good + Words{"--k", "0"}, usage, "--k"},
      {good + Words{"--k", "-1"}, usage, "--k"},
      {good + Words{"--k", "some"}, usage, "--k"},
      {good + Words{"--batch-size", "97"}, usage, "--batch-size"},
      {good + Words{"--batch-size", "0"}, usage, "--batch-size"},
      {good + Words{"--epochs", "0"}, usage, "--epochs"},
      {good + Words{"--batch-size", "32", "-n", "5"}, usage, "-n 5"},
      {good + Words{"-n", "0"}, usage, "-n 0"},
      {good + Words{"--balance", "2"}, usage, "--balance"},
      {good + Words{"--model", "mlp:9-4-3"}, usage, "x.npy"},
      {good + Words{"--model", "mlp:8-0-3"}, usage, "mlp:8-0-3"},
      {good + Words{"--model", "mlp:8-4-2"}, input, "y.npy"},
      {good + Words{"--optimizer", "best"}, usage, "best"},
      {good + Words{"--optimizer", "adam", "--momentum", "0.5"}, usage, "momentum"},
      {good + Words{"--lr", "-1"}, usage, "learning rate -1"},
      {good + Words{"--lr", "nan"}, usage, "learning rate nan"},
      {good + Words{"--schedule", "never"}, usage, "never"},
      {good + Words{"--slow", "2"}, usage, "--slow"},
      {good + Words{"--slow", "2:x"}, usage, "--slow"},
      {good + Words{"--slow", "2:0.5"}, usage, "--slow"},
      {good + Words{"--slow", "3:2"}, usage, "--slow"},
      {good + Words{"--die", "1:ring"}, usage, "--die 1:ring"},
      {good + Words{"--die", "1:nap:4"}, usage, "nap"},
      {good + Words{"--die", "1:saving:4"}, usage, "only rank 0"},
      {good + Words{"--silence-limit", "0"}, usage, "--silence-limit"},
      {good + Words{"--bogus"}, usage, "--bogus"},
      {{"train", "--resume", "run", "--k", "2"}, usage, "--k"},
      {{"train", "--resume", "run", "--run-dir", "other"}, usage, "--run-dir"},
      {{"bogus"}, usage, "daig --help"},
      {{}, usage, "daig --help"},
  });
}

BOOST_AUTO_TEST_CASE(results_that_could_not_be_written) {
  check_cases({
      {good + Words{"--out", "none/model.h5"}, io, "none/model.h5"},
      {good + Words{"--run-dir", "x.npy/run"}, io, "x.npy"},
      {good + Words{"--run-dir", "run"}, usage, "--run-dir run"},
      {good + Words{"--run-dir", "/proc/run"}, io, "/proc"},
      {{"predict", "--model", "good.h5", "--data", "x.npy", "--out", "none/p.npy"},
       io,
       "none/p.npy"},
  });
}

BOOST_AUTO_TEST_CASE(other_commands) {
  check_cases({
      {{"eval", "--model", "none.h5", "--data", "x.npy", "--labels", "y.npy"}, input, "none.h5"},
      {{"eval", "--model", "cut.h5", "--data", "x.npy", "--labels", "y.npy"}, input, "cut.h5"},
      {{"eval", "--model", "good.h5", "--data", "x.npy", "--labels", "short.npy"},
       input,
       "short.npy"},
      {{"eval", "--model", "good.h5", "--data", "nan.npy", "--labels", "y.npy"}, input, "nan.npy"},
      {{"eval", "--model", "good.h5", "--dataset", "fashion-mnist"}, usage, "784"},
      {{"eval", "--model", "good.h5", "--data", "x.npy", "--labels", "y.npy", "--split", "test"},
       usage,
       "--split"},
      {{"eval", "--data", "x.npy", "--labels", "y.npy"}, usage, "--model"},
      {{"predict", "--model", "good.h5", "--data", "nan.npy", "--out", "p.npy"}, input, "nan.npy"},
      {{"predict", "--model", "good.h5", "--data", "floats.npy", "--out", "p.npy"},
       usage,
       "floats.npy"},
      {{"inspect", "none"}, input, "none"},
      {{"inspect", "no.magic"}, input, "no.magic"},
      {{"inspect", "cut.h5"}, input, "cut.h5"},
      {{"inspect", "huge.npy"}, input, "huge.npy"},
      {{"audit", "empty"}, input, "empty"},
      {{"audit", "none"}, input, "none"},
      {{"replay", "empty"}, input, "empty"},
      {{"replay", "none"}, input, "none"},
      {{"run", "-n", "0", "--", "true"}, usage, "-n 0"},
      {{"run", "-n", "2", "--", "./none"}, input, "./none"},
      {{"run", "-n", "2"}, usage, "program"},
      {{"run", "--hostfile", "none", "--", "true"}, input, "none"},
      {{"run", "--hostfile", "bad.hosts", "--", "true"}, input, "bad.hosts:1"},
      {{"run", "--grace", "-1", "--", "true"}, usage, "--grace"},
      {{"run", "--restarts", "-1", "--", "true"}, usage, "--restarts"},
      {good + Words{"--grace", "nan"}, usage, "--grace"},
      {good + Words{"--restarts", "-1"}, usage, "--restarts"},
      {good + Words{"--hostfile", "bad.hosts"}, usage, "--hostfile"},
  });
}

/// Under an mpirun of somebody else's, all ranks end with rank 0's exit code, and it alone speaks.
BOOST_AUTO_TEST_CASE(one_rank_speaks_for_all) {
  const Workplace place;
  const auto before = place.names();
  Words mpirun{"mpirun", "--oversubscribe",     "--bind-to", "none",
               "--mca",  "mpi_yield_when_idle", "1"};
  if (::geteuid() == 0) mpirun.push_back("--allow-run-as-root");
  mpirun = mpirun + Words{"-n", "3", DAIG_COMMAND};
  const std::vector<Case> cases{
      {{"train", "--data", "none.npy", "--labels", "y.npy"}, input, "none.npy"},
      {{"train", "--data", "nan.npy", "--labels", "y.npy", "--model", "mlp:8-4-3"},
       input,
       "nan.npy"},
      {{"train", "--data", "x.npy", "--labels", "y.npy", "--model", "mlp:8-4-3", "-n", "2"},
       usage,
       "-n 2"},
      {{"train", "--bogus"}, usage, "--bogus"},
  };
  for (const Case& bad : cases) {
    BOOST_TEST_CONTEXT(bad.mention) {
      const Ended ended = run(mpirun + bad.words, place.folder.path());
      BOOST_TEST(ended.code == bad.code);
      BOOST_TEST_CONTEXT(ended.error) {
        const auto first = ended.error.find("daig: error: ");
        BOOST_REQUIRE(first != std::string::npos);
        BOOST_TEST(ended.error.find("daig: error: ", first + 1) == std::string::npos);
        BOOST_TEST(contains(ended.error, bad.mention));
      }
      BOOST_TEST((place.names() == before), "something is left behind");
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
