// Loaded before the programs of tests under AddressSanitizer: Open MPI's plug-ins stay in memory to
// the end, so that what they have not given back has a name still. cmake/leaks.supp waits for it.

extern "C" int dlclose(void* /*handle*/) noexcept {
  return 0;
}
