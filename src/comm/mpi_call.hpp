#pragma once

/// The one place where the result of an MPI call is looked at.

#include <string_view>

#include <fmt/format.h>
#include <mpi.h>

#include <daig/core/error.hpp>

namespace daig::comm {

/// Throws what an MPI call has answered, unless it went well. For MPI_ERRORS_RETURN.
/// @throws PeerLost: an MPI that answers with an error no longer reaches some other rank.
inline void check_mpi(int code, std::string_view call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "unknown error";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw PeerLost(fmt::format("{} failed ({}): the current view must be abandoned", call, text));
}

}  // namespace daig::comm
