#pragma once

/// Where the bodies of the library's functions are compiled.
///
/// They are inline: a program includes headers and has nothing to link. One of many files compiles
/// them again in each; it may link daig::compiled instead, which defines DAIG_COMPILED: then the
/// headers only declare, and that library holds the bodies of detail/*.ipp, compiled once. All
/// files of a program must do the same.

#ifdef DAIG_COMPILED
#define DAIG_INLINE
#else
#define DAIG_INLINE inline
#endif
