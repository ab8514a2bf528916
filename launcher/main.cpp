#include "command_line.hpp"

int main(int argc, char** argv) {
  return daig::launcher::run_command_line(argc, argv);
}
