// The bodies of comm/, compiled once.

#include <daig/comm/detail/faulty.ipp>
#include <daig/comm/detail/growing.ipp>
#include <daig/comm/detail/links.ipp>
