#include <algorithm>
#include <bit>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <support/temporary_folder.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <daig/core/error.hpp>
#include <daig/core/random.hpp>
#include <daig/store/model_file.hpp>

#include "file_bytes.hpp"
#include "file_checks.hpp"
#include "sample_model.hpp"
#include "support/sanitized.hpp"

BOOST_AUTO_TEST_SUITE(model_file_test)

namespace fs = std::filesystem;
using namespace daig;
using daig::test::files_in;
using daig::test::same_model;
using daig::test::sample_model;
using daig::test::says;
using daig::test::TemporaryFolder;

namespace {

std::size_t open_files() {
  return files_in("/proc/self/fd");
}

/// A model whose weights fill about this many bytes.
store::SavedModel large_model(std::size_t bytes) {
  store::SavedModel model;
  model.layout.add("big", {bytes / sizeof(float)});
  model.weights.assign(model.layout.size(), 0.5F);
  return model;
}

/// Lets no file of this process grow beyond the limit; the process is killed or refused then.
void limit_file_size(std::size_t bytes, bool kill) {
  std::signal(SIGXFSZ, kill ? SIG_DFL : SIG_IGN);
  const rlimit core{0, 0};
  setrlimit(RLIMIT_CORE, &core);
  const rlimit size{bytes, bytes};
  setrlimit(RLIMIT_FSIZE, &size);
}

/// Runs a function in a child process, which ends with what the function returns.
int status_of_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

/// Reads a file that may be damaged: either it is refused as input, or all of it is as it was.
bool refused_or_equal(const fs::path& path, const store::SavedModel& original) {
  try {
    return same_model(store::read_model(path), original);
  } catch (const InputError&) {
    return true;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  const TemporaryFolder folder;
  const store::SavedModel model = sample_model();
  store::write_model(folder / "model.h5", model);
  BOOST_TEST(same_model(store::read_model(folder / "model.h5"), model));
  BOOST_TEST(files_in(folder.path()) == 1U);  // no temporary file is left
}

BOOST_AUTO_TEST_CASE(the_smallest_models_are_read_back) {
  const TemporaryFolder folder;
  store::SavedModel model;
  store::write_model(folder / "nothing.h5", model);
  BOOST_TEST(same_model(store::read_model(folder / "nothing.h5"), model));

  model.layout.add("empty", {0, 3});
  model.layout.add("one", {});
  model.weights = {1.0F};
  model.optimizer.slots = {{"momentum", {2.0F}}};
  store::write_model(folder / "one.h5", model);
  BOOST_TEST(same_model(store::read_model(folder / "one.h5"), model));
}

BOOST_AUTO_TEST_CASE(every_bit_of_every_value_survives) {
  const TemporaryFolder folder;
  store::SavedModel model;
  std::vector<std::uint32_t> bits{0x7FC00001, 0xFFC12345, 0x00000001, 0x80000000, 0x7F800000};
  Random random(1, Stream::test);
  while (bits.size() < 1000) bits.push_back(random());
  for (const std::uint32_t word : bits) model.weights.push_back(std::bit_cast<float>(word));
  model.layout.add("values", {model.weights.size()});
  model.optimizer.scalars = {{"infinite", std::numeric_limits<double>::infinity()}};
  model.version = Version{std::numeric_limits<std::uint64_t>::max()};
  model.epoch = Epoch{std::numeric_limits<std::uint32_t>::max()};
  store::write_model(folder / "model.h5", model);
  const store::SavedModel read = store::read_model(folder / "model.h5");
  BOOST_TEST(store::weights_digest(read) == store::weights_digest(model));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    BOOST_TEST(std::bit_cast<std::uint32_t>(read.weights[i]) == bits[i]);
  }
  BOOST_TEST((read.version == model.version));
  BOOST_TEST((read.epoch == model.epoch));
  BOOST_TEST((read.optimizer == model.optimizer));
}

BOOST_AUTO_TEST_CASE(texts_of_any_length_and_language_are_kept) {
  const TemporaryFolder folder;
  for (const std::size_t length : {0, 1, 65'000, 66'000, 1'000'000}) {
    BOOST_TEST_CONTEXT("length " << length) {
      store::SavedModel model = sample_model();
      model.spec = std::string(length, 'x') + "gewichte: größe\n重み";
      model.optimizer.options = std::string(length, 'y');
      store::write_model(folder / "model.h5", model);
      BOOST_TEST(same_model(store::read_model(folder / "model.h5"), model));
    }
  }
}

BOOST_AUTO_TEST_CASE(many_parameters_keep_their_order) {
  const TemporaryFolder folder;
  store::SavedModel model;
  for (int i = 0; i < 1000; ++i) {
    model.layout.add(fmt::format("layer_{}/{}", i % 7, (i * 617) % 1000), {1});
    model.weights.push_back(static_cast<float>(i));
  }
  store::write_model(folder / "model.h5", model);
  BOOST_TEST(same_model(store::read_model(folder / "model.h5"), model));
}

BOOST_AUTO_TEST_CASE(a_new_file_replaces_the_old_one) {
  const TemporaryFolder folder;
  store::SavedModel model = sample_model();
  store::write_model(folder / "model.h5", model);
  model.version = Version{121};
  model.weights[0] = 99;
  fs::create_symlink("model.h5", folder / "link.h5");
  store::write_model(folder / "link.h5", model);  // through the link, which stays a link
  BOOST_TEST(fs::is_symlink(folder / "link.h5"));
  BOOST_TEST(same_model(store::read_model(folder / "model.h5"), model));
  BOOST_TEST(files_in(folder.path()) == 2U);
}

BOOST_AUTO_TEST_CASE(contracts_of_the_writer) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::function<void(store::SavedModel&)>& spoil) {
    store::SavedModel model = sample_model();
    spoil(model);
    BOOST_CHECK_THROW(store::write_model(folder / "model.h5", model), ContractViolation);
  };
  refused([](auto& model) { model.weights.pop_back(); });
  refused([](auto& model) { model.optimizer.slots[0].second.pop_back(); });
  refused([](auto& model) { model.optimizer.slots[1].first = "momentum"; });
  refused([](auto& model) { model.optimizer.slots[1].first = "a/b"; });
  refused([](auto& model) { model.optimizer.scalars[""] = 1; });
  for (const char* name : {"", "/a", "a/", "a//b", "a/../b", ".", "a\nb", "dense_1", "scale/x"}) {
    BOOST_TEST_CONTEXT("parameter name " << name) {
      refused([&](auto& model) {
        model.layout.add(name, {1});
        model.weights.push_back(0);
        for (auto& slot : model.optimizer.slots) slot.second.push_back(0);
      });
    }
  }
  BOOST_TEST(files_in(folder.path()) == 0U);
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_found_early) {
  const TemporaryFolder folder;
  const auto nowhere = folder / "missing" / "model.h5";
  const auto names_both = says({nowhere.string(), "No such file or directory"});
  BOOST_CHECK_EXCEPTION(store::check_writable(nowhere), IoError, names_both);
  BOOST_CHECK_EXCEPTION(store::write_model(nowhere, sample_model()), IoError, names_both);
  BOOST_CHECK_EXCEPTION(store::check_writable(folder.path()), IoError, says({"folder"}));
  BOOST_CHECK_EXCEPTION(store::check_writable("/dev/null"), IoError, says({"/dev/null", "device"}));
  BOOST_CHECK_THROW(store::check_writable(""), IoError);

  test::write_bytes(folder / "old.h5", "old");
  store::check_writable(folder / "old.h5");
  store::check_writable(folder / "new.h5");
  BOOST_TEST(test::read_bytes(folder / "old.h5") == "old");
  BOOST_TEST(files_in(folder.path()) == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_old_file_and_no_temporary_one) {
  constexpr std::size_t size = 4 << 20;
  // Refused in the arrays, and refused at the very end.
  for (const std::size_t limit : {std::size_t{100}, size / 2, size + 1}) {
    BOOST_TEST_CONTEXT("limit " << limit) {
      const TemporaryFolder folder;
      const auto path = folder / "model.h5";
      store::write_model(path, sample_model());
      const int status = status_of_child([&] {
        limit_file_size(limit, false);
        try {
          store::write_model(path, large_model(size));
        } catch (const IoError& error) {
          const std::string text = error.what();
          const bool told = text.find(path.string()) != std::string::npos &&
                            text.find("File too large") != std::string::npos;
          return told ? 42 : 43;
        }
        return 44;
      });
      BOOST_TEST(WIFEXITED(status));
      BOOST_TEST(WEXITSTATUS(status) == 42);
      BOOST_TEST(same_model(store::read_model(path), sample_model()));
      BOOST_TEST(files_in(folder.path()) == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_writer_killed_half_way_leaves_the_old_file) {
  constexpr std::size_t size = 4 << 20;
  for (const std::size_t limit : {std::size_t{100}, size / 2, size + 1}) {
    BOOST_TEST_CONTEXT("limit " << limit) {
      const TemporaryFolder folder;
      const auto path = folder / "model.h5";
      store::write_model(path, sample_model());
      const int status = status_of_child([&] {
        limit_file_size(limit, true);
        store::write_model(path, large_model(size));
        return 0;
      });
      BOOST_TEST(WIFSIGNALED(status));
      BOOST_TEST(same_model(store::read_model(path), sample_model()));
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_are_no_models_are_refused_with_advice) {
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  BOOST_CHECK_EXCEPTION(store::read_model(path), InputError,
                        says({path.string(), "no such model file"}));
  BOOST_CHECK_EXCEPTION(store::read_model(folder.path()), InputError, says({"folder"}));
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(5000, 'x'),
                                   std::string("\x89HDF\r\n\x1a\n", 8)}) {
    test::write_bytes(path, bytes);
    BOOST_CHECK_EXCEPTION(store::read_model(path), InputError, says({path.string()}));
  }
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused) {
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  store::write_model(path, sample_model());
  const std::string whole = test::read_bytes(path);
  for (std::size_t fiftieth = 0; fiftieth < 50; ++fiftieth) {
    const std::size_t length = whole.size() * fiftieth / 50;
    BOOST_TEST_CONTEXT("length " << length << " of " << whole.size()) {
      test::write_bytes(path, whole.substr(0, length));
      BOOST_CHECK_EXCEPTION(store::read_model(path), InputError, says({path.string()}));
    }
  }
  test::write_bytes(path, whole.substr(0, whole.size() - 1));
  BOOST_CHECK_THROW(store::read_model(path), InputError);
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_never_believed) {
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  const store::SavedModel model = sample_model();
  store::write_model(path, model);
  const std::string whole = test::read_bytes(path);
  const std::size_t files_before = open_files();
  Random random(1, Stream::test);
  const std::uint32_t stride = test::sanitized ? 20 : 4;
  for (std::size_t at = 0; at < whole.size(); at += 1 + random.below(stride)) {
    const auto flip = 1 + random.below(255);
    BOOST_TEST_CONTEXT("byte " << at << " of " << whole.size() << ", flipped by " << flip) {
      std::string changed = whole;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      test::write_bytes(path, changed);
      BOOST_TEST(refused_or_equal(path, model));
    }
  }
  BOOST_TEST(open_files() == files_before);
}

BOOST_AUTO_TEST_CASE(a_file_with_a_stretch_of_noise_is_never_believed) {
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  const store::SavedModel model = sample_model();
  store::write_model(path, model);
  const std::string whole = test::read_bytes(path);
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed, Stream::test);
      std::string changed = whole;
      const std::size_t begin = random.below(whole.size());
      const std::size_t end = begin + random.below(whole.size() - begin);
      for (std::size_t at = begin; at < end; ++at) changed[at] = static_cast<char>(random());
      test::write_bytes(path, changed);
      BOOST_TEST(refused_or_equal(path, model));
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_may_use_files_at_the_same_time) {
  const TemporaryFolder folder;
  std::vector<int> good(4, 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < good.size(); ++i) {
      threads.emplace_back([&, i] {
        store::SavedModel model = sample_model();
        model.seed = i;
        const auto path = folder / fmt::format("{}.h5", i);
        for (int round = 0; round < 10; ++round) {
          store::write_model(path, model);
          good[i] += same_model(store::read_model(path), model) ? 1 : 0;
        }
      });
    }
  }
  for (const int rounds : good) BOOST_TEST(rounds == 10);
}

BOOST_AUTO_TEST_CASE(a_description_names_what_is_in_the_file) {
  const TemporaryFolder folder;
  store::write_model(folder / "model.h5", sample_model());
  const std::string text = store::describe_model(folder / "model.h5");
  for (const char* part :
       {"mlp:3-5-2", "120 steps", "2 whole epochs", "33 weights", "dense_1/kernel (3, 5)",
        "scale ()", "adam", "momentum", "beta1_power = 0.81"}) {
    BOOST_TEST(text.find(part) != std::string::npos, part << " is missing in\n" << text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
