#pragma once

/// Files that are whole or not there. Link daig::hdf5.

#include <filesystem>
#include <functional>

namespace daig::store {

/// Has `write` fill a new, empty file beside `path`, flushes that to the disk, and gives it the
/// name `path`. Whatever happens half-way, `path` names either the old file or the whole new one.
/// Threads: any. Cost: that of `write`, and one fsync.
/// @throws IoError naming the path and the system's reason, and what `write` throws; the temporary
///         file is then gone.
void write_whole(const std::filesystem::path& path,
                 const std::function<void(const std::filesystem::path& temporary)>& write);

}  // namespace daig::store
