// The bodies of train/, compiled once.

#include <daig/train/detail/coordinator_loop.ipp>
#include <daig/train/detail/member.ipp>
#include <daig/train/detail/rank_loop.ipp>
