#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

/** A named native check; `main` runs all of them, under whatever sanitizer they were compiled with. */
struct Check {
  std::string name;
  std::function<void()> run;
};

inline std::vector<Check>& checks() {
  static std::vector<Check> all;
  return all;
}

struct AddCheck {
  AddCheck(const char* name, std::function<void()> run) { checks().push_back({name, std::move(run)}); }
};

#define CHECK_CASE(name, text)       \
  static void name();                \
  static AddCheck add_##name(text, name); \
  static void name()

#define EXPECT(condition)                                                             \
  do {                                                                                \
    if (!(condition)) {                                                               \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                   \
    }                                                                                 \
  } while (false)

/** Of random checks; the first argument of the program, printed by it. */
extern unsigned long long checkSeed;
/** A fresh path in a directory that goes away at the end. */
std::string scratchPath(const std::string& name);
