#include "errands.hpp"

#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <sys/wait.h>

#include "process.hpp"
#include "remote_shell.hpp"

namespace daig::launcher {
namespace {

constexpr Duration patience = std::chrono::seconds(10);

}  // namespace

Errands::~Errands() {
  for (const Errand& errand : under_way_) {
    ::kill(errand.shell, SIGKILL);
    wait_for(errand.shell);
  }
}

void Errands::run(const std::string& host, const std::vector<std::string>& command) {
  const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t shell = spawn(remote_line(host, command, patience), {.input = nothing.get(),
                                                                   .output = nothing.get(),
                                                                   .error = nothing.get(),
                                                                   .at_our_end = SIGKILL,
                                                                   .own_group = true});
  under_way_.push_back({shell, Deadline::in(patience)});
}

void Errands::check() {
  std::erase_if(under_way_, [](const Errand& errand) {
    if (errand.deadline.expired()) ::kill(errand.shell, SIGKILL);
    int status = 0;
    return ::waitpid(errand.shell, &status, WNOHANG) == errand.shell;
  });
}

}  // namespace daig::launcher
