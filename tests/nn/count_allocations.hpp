#pragma once

/// For a test program that links count_allocations.cpp.

#include <cstddef>

namespace daig::nn::test {

/// How often the calling thread has called operator new so far.
std::size_t allocations();

}  // namespace daig::nn::test
