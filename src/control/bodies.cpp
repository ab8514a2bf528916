// The bodies of control/, compiled once.

#include <daig/control/detail/coordinator.ipp>
#include <daig/control/detail/coordinator_members.ipp>
#include <daig/control/detail/simulator.ipp>
#include <daig/control/detail/wire.ipp>
