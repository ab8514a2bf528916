#pragma once

/// How rank 0 fares: mpirun --enable-recovery returns 0 whatever happens to the ranks, and cannot
/// signal one of them alone, so that rank 0 is started by `daig` itself, which tells the launcher.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <daig/core/file_descriptor.hpp>

namespace daig::launcher {

/// The subcommand that starts rank 0: daig rank-0 CHANNEL -- PROGRAM ...
inline constexpr const char* rank_0_command = "rank-0";

/// What the starter tells.
struct RankZeroNews {
  enum class What : std::int32_t {
    started,  ///< value: the program's process, which keeps its number until `ended` is written
    ended     ///< value: its exit code, 128 + n when signal n killed it
  };
  What what = What::started;
  std::int32_t value = 0;
};

/// Where the launcher hears it: a named pipe in a folder of its own.
class RankZeroChannel {
 public:
  /// @throws IoError when it cannot be made.
  RankZeroChannel();
  RankZeroChannel(const RankZeroChannel&) = delete;
  RankZeroChannel& operator=(const RankZeroChannel&) = delete;
  RankZeroChannel(RankZeroChannel&&) = delete;
  RankZeroChannel& operator=(RankZeroChannel&&) = delete;
  ~RankZeroChannel();

  const std::filesystem::path& path() const { return path_; }
  /// Readable once there is news.
  int descriptor() const { return pipe_.get(); }
  /// The next news; nothing when there is none.
  std::optional<RankZeroNews> read() const;

 private:
  std::filesystem::path path_;
  FileDescriptor pipe_;
};

/// Runs the program as a child, waits for it, and writes into the channel how it fares; returns its
/// exit code. Signals are left to the program: mpirun sends them to it as well, and the launcher to
/// it alone. The program dies with its starter, and with mpirun; of an end that mpirun's own end
/// has caused there is no news.
int run_rank_0(const std::filesystem::path& channel, const std::vector<std::string>& program);

}  // namespace daig::launcher
