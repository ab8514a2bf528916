#pragma once

/// The audit: proves from the ledger alone that a run did what it was asked to do, exactly once.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <daig/core/id.hpp>
#include <daig/store/run_plan.hpp>

namespace daig::store {

/// What can be wrong with a ledger.
enum class Fault {
  damaged,         ///< the database contradicts itself
  missing,         ///< a planned batch is not committed: the run is unfinished, or work was lost
  repeated,        ///< a batch counts more than once
  unplanned,       ///< a batch of no planned epoch, or with no planned id
  wrong_samples,   ///< a batch holds another number of samples than the plan says
  wrong_size,      ///< a step holds another number of batches than K; the last one, than the rest
  broken_order,    ///< the steps are not 0, 1, 2, ... each once
  wrong_totals,    ///< a step's totals differ from its batches, or batches belong to no step
  foreign_worker,  ///< a batch was accepted from a rank outside the step's view
};

/// All that was found of one fault.
struct Finding {
  Fault fault;
  std::uint64_t count = 0;
  std::vector<std::string> examples;  ///< the first few, in words
};

/// What one volunteer did of the work that counts, and apart from it, what it did in vain: work
/// that was accepted and then lost, as the run was resumed from a snapshot before it.
struct VolunteerShare {
  Rank volunteer;
  std::uint64_t batches = 0;
  std::uint64_t samples = 0;
  double fraction = 0;        ///< of all samples
  double mean_service_s = 0;  ///< a batch
  double busy_s = 0;          ///< in all

  std::uint64_t redone_batches = 0;  ///< superseded, and done again by whoever it was
  std::uint64_t redone_samples = 0;
  double redone_busy_s = 0;
};

struct AuditReport {
  RunPlan plan;
  std::uint64_t attempts = 0;
  std::uint64_t steps = 0;    ///< those that count, like the next two
  std::uint64_t batches = 0;  ///< to be compared with plan.batches()
  std::uint64_t samples = 0;
  std::uint64_t superseded_steps = 0;  ///< done again after a resume
  std::uint64_t superseded_batches = 0;
  bool ended_early = false;  ///< no more was wanted: that planned batches are missing is no finding
  std::vector<VolunteerShare> shares;  ///< by rank; of all whose work was ever accepted
  std::vector<Finding> findings;       ///< one a fault, worst news first

  bool clean() const { return findings.empty(); }
};

/// What to make of planned batches that are not committed.
enum class Unfinished { is_a_finding, is_accepted };

/// Checks the ledger in a run's folder. May run beside the run itself; sees one moment of it.
/// Cost: a few passes over the ledger, constant memory.
/// @throws InputError when the folder holds no ledger, or one that cannot be read through.
AuditReport audit(const std::filesystem::path& run_directory,
                  Unfinished unfinished = Unfinished::is_a_finding);

/// The report for people, several lines.
std::string to_text(const AuditReport& report);

}  // namespace daig::store
