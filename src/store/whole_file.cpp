#include <daig/store/whole_file.hpp>

#include "pending_file.hpp"

namespace daig::store {

void write_whole(const std::filesystem::path& path,
                 const std::function<void(const std::filesystem::path& temporary)>& write) {
  detail::PendingFile file(path);
  write(file.path());
  file.commit();
}

}  // namespace daig::store
