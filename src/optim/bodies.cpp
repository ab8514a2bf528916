// The bodies of optim/, compiled once.

#include <daig/optim/detail/make_optimizer.ipp>
#include <daig/optim/detail/schedule.ipp>
