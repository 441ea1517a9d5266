#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "check.h"

unsigned long long checkSeed = 1;

namespace {

std::filesystem::path directory;

}  // namespace

std::string scratchPath(const std::string& name) {
  return (directory / name).string();
}

int main(int argc, char** argv) {
  if (argc > 1) checkSeed = std::strtoull(argv[1], nullptr, 10);
  std::cout << "seed " << checkSeed << std::endl;
  std::string pattern = (std::filesystem::temp_directory_path() / "mishards-native-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return 1;
  directory = pattern;
  for (const Check& check : checks()) {
    check.run();
    std::cout << "ok " << check.name << std::endl;
  }
  std::filesystem::remove_all(directory);
}
