// SPDX-License-Identifier: Apache-2.0
//
// The test for a fuzz target without libFuzzer. Runs the inputs of its corpus
// and many mutations of them, the same ones every time.
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "lock/fuzzing.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

constexpr size_t kMutations = 20000;

// An input still readable after the process testing it has died.
class SharedInput {
 public:
  SharedInput()
      : memory_(static_cast<char*>(mmap(nullptr, kMost, PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    Check(memory_ != MAP_FAILED, "memory can be shared");
  }
  ~SharedInput() { munmap(memory_, kMost); }
  SharedInput(const SharedInput&) = delete;  // Two owners would unmap it twice.
  SharedInput& operator=(const SharedInput&) = delete;

  void Set(absl::string_view input) {
    Check(input.size() <= kMost - sizeof(size_t), "an input is small");
    const size_t size = input.size();
    std::memcpy(memory_, &size, sizeof(size));
    std::memcpy(memory_ + sizeof(size), input.data(), size);
  }
  absl::string_view Get() const {
    size_t size;
    std::memcpy(&size, memory_, sizeof(size));
    return absl::string_view(memory_ + sizeof(size), size);
  }

 private:
  static constexpr size_t kMost = size_t{1} << 20;
  char* memory_;
};

void RunTarget(absl::string_view input, SharedInput& current) {
  current.Set(input);
  // A copy of exactly this size: a sanitizer sees reads beyond it.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> ReadCorpus() {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(PathFromEnv("CORPUS"))) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());  // a directory has no order
  std::vector<std::string> inputs(paths.size());
  std::transform(paths.begin(), paths.end(), inputs.begin(), Contents);
  return inputs;
}

std::string Mutated(const std::vector<std::string>& inputs,
                    std::mt19937& random) {
  // Not a std::uniform_int_distribution: each library implements it
  // differently.
  const auto below = [&random](size_t limit) { return random() % limit; };
  std::string text = inputs[below(inputs.size())];
  for (size_t edits = 1 + below(4); edits > 0; --edits) {
    const size_t at = below(text.size() + 1);
    if (below(2) == 0) {
      text.replace(at, below(2), 1, static_cast<char>(below(256)));
    } else {
      const std::string& other = inputs[below(inputs.size())];
      text.replace(at, below(16), other, below(other.size() + 1), below(32));
    }
  }
  return text;
}

// Runs `count` inputs from `next` in a process that may die.
void Replay(size_t count, const std::function<std::string()>& next) {
  SharedInput current;
  EXPECT_EXIT(
      {
        for (size_t i = 0; i < count; ++i) RunTarget(next(), current);
        exit(0);
      },
      testing::ExitedWithCode(0), "")
      << "the input: \"" << absl::CHexEscape(current.Get()) << '"';
}

TEST(CorpusTest, KeepsThePromises) {
  const std::vector<std::string> inputs = ReadCorpus();
  ASSERT_FALSE(inputs.empty());
  auto input = inputs.begin();
  Replay(inputs.size(), [&input] { return *input++; });
}

TEST(CorpusTest, KeepsThePromisesWhenMutated) {
  const std::vector<std::string> inputs = ReadCorpus();
  ASSERT_FALSE(inputs.empty());
  std::mt19937 random(20260225);  // always the same
  Replay(kMutations, [&] { return Mutated(inputs, random); });
}

}  // namespace
}  // namespace o8lock
