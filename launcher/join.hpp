#pragma once

/// A rank that joins a job which runs: what starts it on its host, and sees it through there.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daig::launcher {

/// The subcommand, without arguments: the order comes on stdin, so that no list of processes shows
/// the job's secret.
inline constexpr const char* join_command = "join";

/// What is to be started.
struct JoinOrder {
  std::string directory;             ///< to work in; the home folder where there is none such
  std::vector<std::string> program;  ///< and its arguments
  std::vector<std::pair<std::string, std::string>> environment;

  friend bool operator==(const JoinOrder&, const JoinOrder&) = default;
};

/// What the order's sender may say after it: the rank is to leave (SIGTERM), or gets a SIGUSR1. The
/// end of stdin says that it is to end.
inline constexpr char leave_word = 'L';
inline constexpr char usr1_word = 'U';

/// The order as it comes on stdin: texts, each with a null at its end: the directory, how many
/// words, the words, "NAME=value" for each variable, and an empty one.
std::string encode(const JoinOrder& order);

/// Reads an order from the beginning of a text; nothing while it is not there in full.
/// @throws InputError when it is no order.
std::optional<JoinOrder> decode_order(std::string_view text);

/// Reads the order from stdin, starts the program, and waits for its end; returns its exit code.
/// What Open MPI has set is taken out of its environment. It is asked to leave (SIGTERM) when stdin
/// says so; when stdin ends (the launcher is gone), or SIGTERM, SIGINT or SIGHUP comes, likewise,
/// and it is killed when it has not ended 5 s later, or with the second signal. It dies with this
/// process. @throws DeadlineExceeded when no order comes, InputError when it is none.
int run_join();

}  // namespace daig::launcher
