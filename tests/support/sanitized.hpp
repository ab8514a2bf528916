#pragma once

/// Whether a test is built with a sanitizer, under which it takes several times as long: then it
/// may repeat less often what it repeats. The release build does all of it.

namespace daig::test {

#if defined(__has_feature)  // Clang's way to tell
#define DAIG_HAS_FEATURE(feature) __has_feature(feature)
#else
#define DAIG_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_THREAD__) || DAIG_HAS_FEATURE(thread_sanitizer)
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || DAIG_HAS_FEATURE(address_sanitizer)
inline constexpr bool under_address_sanitizer = true;
#else
inline constexpr bool under_address_sanitizer = false;
#endif

inline constexpr bool sanitized = under_thread_sanitizer || under_address_sanitizer;

#undef DAIG_HAS_FEATURE

}  // namespace daig::test
