// Training a network with the library linked into one's own program.
//
//     mpirun -n 4 ./train_fashion_mnist [EPOCHS [SEED]]
//
// Rank 0 coordinates and is the only one that needs the data; the other ranks compute.

#include <cstdio>
#include <cstdlib>
#include <exception>

#include <daig/comm/mpi.hpp>
#include <daig/data/dataset.hpp>
#include <daig/data/read_shard.hpp>
#include <daig/train/evaluate.hpp>
#include <daig/train/network_workload.hpp>
#include <daig/train/session.hpp>

namespace {

void train(daig::comm::Communicator& world, const daig::train::Options& options) {
  daig::train::NetworkWorkload workload("mlp:784-256-128-10");
  const std::size_t weights = workload.network().layout().size();
  daig::train::Session session(world, options, weights);

  if (!session.coordinates()) {  // a volunteer: that is all
    session.run(workload);
    return;
  }

  const auto data = daig::data::open_dataset("fashion-mnist");
  daig::train::Task task;
  task.weights.resize(weights);
  workload.network().initialise(task.weights, options.seed);
  task.samples = data.train.count();
  task.read_shard = [&](const daig::data::ShardPlan& plan, daig::ShardId shard) {
    return daig::data::read_shard(data.train, plan, shard);
  };
  session.set_up(std::move(task));

  const daig::train::Result result = session.run(workload);
  const auto quality = daig::train::evaluate(workload.network(), result.weights, *data.test);
  std::printf("%llu steps, %.0f samples/s, test loss %.4f, test accuracy %.4f\n",
              static_cast<unsigned long long>(result.version.value()),
              static_cast<double>(result.samples) / result.seconds, quality.loss,
              quality.accuracy.value());
}

}  // namespace

int main(int argc, char** argv) {
  daig::train::Options options;
  options.k = 4;
  options.batch_size = 64;
  options.epochs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5;
  options.seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  options.optimizer.learning_rate = 0.1;
  options.optimizer.momentum = 0.9;
  options.schedule = "cosine";
  try {
    daig::comm::MpiEnvironment mpi;
    train(*mpi.world(), options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_fashion_mnist: %s\n", error.what());
    return 1;
  }
}
