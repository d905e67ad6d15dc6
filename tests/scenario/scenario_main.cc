// SPDX-License-Identifier: GPL-3.0-or-later
// scenario [GTest options] [FILE.sipscript ...]: one test per script; all of this folder when none
// is named. MIDCOM_TRACE=1 prints every message of a failing script.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/scenario/runner.h"

namespace midcom::scenario {

namespace {

class ScriptTest : public testing::Test {
public:
  explicit ScriptTest(std::filesystem::path file) : file_(std::move(file)) {}
  void TestBody() override {
    Runner runner(file_.stem().string());
    try {
      runner.run(read_script(file_.string()));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what()
                    << (std::getenv("MIDCOM_TRACE") ? "\n" + runner.trace() : std::string());
    }
  }

private:
  std::filesystem::path file_;
};

std::string test_name(const std::filesystem::path& file) {
  auto name = file.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

} // namespace

} // namespace midcom::scenario

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::filesystem::path> files(argv + 1, argv + argc);
  if (files.empty())
    for (const auto& entry : std::filesystem::directory_iterator(SCENARIO_DIRECTORY))
      if (entry.path().extension() == ".sipscript") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files)
    testing::RegisterTest("scenario", midcom::scenario::test_name(file).c_str(), nullptr, nullptr,
                          __FILE__, __LINE__,
                          [file] { return new midcom::scenario::ScriptTest(file); });
  return RUN_ALL_TESTS();
}
