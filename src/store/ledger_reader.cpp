#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <daig/core/error.hpp>
#include <daig/store/ledger_reader.hpp>

#include "ledger_schema.hpp"
#include "sqlite.hpp"

namespace daig::store {

namespace {

double real_or_nan(const sqlite::Statement& row, int column) {
  return row.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

/// 16 hex digits; nothing for other texts.
std::optional<std::uint64_t> parse_digest(const std::string& text) {
  std::uint64_t digest = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, digest, 16);
  if (text.size() != 16 || error != std::errc() || stop != end) return std::nullopt;
  return digest;
}

}  // namespace

class LedgerReader::Impl {
 public:
  explicit Impl(const std::filesystem::path& ledger)
      : database_(detail::open_ledger(ledger, sqlite::Mode::read)) {}

  const Configuration& configuration() const { return configuration_; }
  const RunPlan& plan() const { return plan_; }
  std::uint64_t steps() const { return steps_; }

  std::optional<metrics::StepRecord> next();

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw InputError(database_.path().string(),
                     fmt::format("step {}: {}; the ledger is damaged or was changed, and its audit "
                                 "says more",
                                 next_, fmt::format(format, std::forward<Args>(args)...)));
  }

  /// A number of the ledger's, as one of ours.
  template <class Integer>
  Integer number(const sqlite::Statement& row, int column, const char* what) const {
    const std::int64_t value = row.integer(column);
    if (!std::in_range<Integer>(value)) refuse("{} as {}", value, what);
    return static_cast<Integer>(value);
  }

  /// The members of a view, kept until another view is asked for.
  const std::vector<Rank>& members_of(std::int64_t attempt, ViewId view);
  void read_members();
  metrics::BatchRecord read_batch() const;
  void read_batches(std::int64_t attempt, metrics::StepRecord& step);

  sqlite::Database database_;
  sqlite::Transaction one_moment_{database_, "BEGIN"};
  Configuration configuration_{detail::read_configuration(database_)};
  RunPlan plan_{run_plan(configuration_, database_.path().string())};
  std::uint64_t steps_{static_cast<std::uint64_t>(
      database_.integer("SELECT COUNT(*) FROM steps WHERE superseded_by IS NULL"))};
  std::uint64_t next_ = 0;

  sqlite::Statement step_{
      database_,
      "SELECT step, attempt, view, sum_digest, learning_rate, opened_s, closed_s, committed_s, "
      "batches, samples FROM steps WHERE superseded_by IS NULL ORDER BY step"};
  sqlite::Statement batch_{
      database_,
      "SELECT position, epoch, batch, volunteer, samples, loss_sum, service_s FROM batches "
      "WHERE attempt = ? AND step = ? AND superseded_by IS NULL ORDER BY position"};
  sqlite::Statement member_{database_,
                            "SELECT position, rank FROM views WHERE attempt = ? AND view = ? "
                            "ORDER BY position"};
  std::optional<std::pair<std::int64_t, ViewId>> known_view_;  ///< ids are an attempt's own
  std::vector<Rank> members_;
};

std::optional<metrics::StepRecord> LedgerReader::Impl::next() {
  if (next_ == steps_ || !step_.step()) return std::nullopt;
  if (std::cmp_not_equal(step_.integer(0), next_)) {
    refuse("is not there; the next one is step {}", step_.integer(0));
  }
  const std::int64_t attempt = step_.integer(1);
  metrics::StepRecord step;
  step.step = StepId{next_};
  step.view = ViewId{number<ViewId::rep>(step_, 2, "the id of its view")};
  step.members = members_of(attempt, step.view);
  const std::optional<std::uint64_t> digest = parse_digest(step_.text(3));
  if (!digest) refuse("the digest of its sum is no 16 hex digits");
  step.sum_digest = *digest;
  step.learning_rate = real_or_nan(step_, 4);
  step.opened_s = step_.real(5);
  step.closed_s = step_.real(6);
  step.committed_s = step_.real(7);
  read_batches(attempt, step);
  ++next_;
  return step;
}

const std::vector<Rank>& LedgerReader::Impl::members_of(std::int64_t attempt, ViewId view) {
  if (known_view_ != std::pair(attempt, view)) {
    member_.bind(attempt, std::int64_t{view.value()});
    read_members();
    known_view_ = {attempt, view};
  }
  return members_;
}

void LedgerReader::Impl::read_members() {
  members_.clear();
  while (member_.step()) {
    if (std::cmp_not_equal(member_.integer(0), members_.size())) {
      refuse("the members of its view are not numbered from 0 on");
    }
    members_.emplace_back(number<Rank::rep>(member_, 1, "a member of its view"));
  }
  std::vector<Rank> sorted = members_;
  std::ranges::sort(sorted);
  if (sorted.empty()) refuse("its view has no members");
  if (sorted.front() < Rank{0}) refuse("rank {} in its view", sorted.front().value());
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    refuse("rank {} is in its view twice", twice->value());
  }
}

metrics::BatchRecord LedgerReader::Impl::read_batch() const {
  const auto epoch = number<Epoch::rep>(batch_, 1, "the epoch of a batch");
  const auto batch = number<BatchId::rep>(batch_, 2, "a batch");
  if (epoch >= plan_.epochs || batch >= plan_.data.batches()) {
    refuse("epoch {} batch {} is in no plan of {} epochs of {} batches", epoch, batch, plan_.epochs,
           plan_.data.batches());
  }
  return {Epoch{epoch},
          BatchId{batch},
          Rank{number<Rank::rep>(batch_, 3, "a volunteer")},
          number<std::uint64_t>(batch_, 4, "the samples of a batch"),
          real_or_nan(batch_, 5),
          real_or_nan(batch_, 6)};
}

void LedgerReader::Impl::read_batches(std::int64_t attempt, metrics::StepRecord& step) {
  // What is entered bounds what is read: a step holds no more than it says.
  const auto entered = number<std::uint64_t>(step_, 8, "the number of its batches");
  const auto samples = number<std::uint64_t>(step_, 9, "the number of its samples");
  batch_.bind(attempt, static_cast<std::int64_t>(next_));
  std::uint64_t found = 0;
  std::uint64_t held = 0;
  while (batch_.step()) {
    if (found == entered) {
      refuse("it has more batches than the {} that it is said to have", entered);
    }
    if (std::cmp_not_equal(batch_.integer(0), found)) {
      refuse("its batches are not numbered from 0 on");
    }
    step.batches.push_back(read_batch());
    const std::uint64_t more = step.batches.back().samples;
    if (more > samples - held) {
      refuse("its batches hold more samples than the {} that it is said to have", samples);
    }
    held += more;
    ++found;
  }
  if (found != entered) refuse("{} batches are entered, {} are there", entered, found);
  if (held != samples) refuse("{} samples are entered, its batches hold {}", samples, held);
  if (samples == 0) refuse("it holds no samples");
}

LedgerReader::LedgerReader(const std::filesystem::path& ledger)
    : impl_(std::make_unique<Impl>(ledger)) {}
LedgerReader::~LedgerReader() = default;

const Configuration& LedgerReader::configuration() const {
  return impl_->configuration();
}
const RunPlan& LedgerReader::plan() const {
  return impl_->plan();
}
std::uint64_t LedgerReader::steps() const {
  return impl_->steps();
}
std::optional<metrics::StepRecord> LedgerReader::next() {
  return impl_->next();
}

}  // namespace daig::store
