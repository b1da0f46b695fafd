// SPDX-License-Identifier: Apache-2.0
#include "hooks/hook_directory.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lock/file.h"
#include "lock/testing.h"

namespace o8lock {
namespace {

using ::testing::IsEmpty;

// Every write beyond `size` bytes of a file fails in this scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size) {
    std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const struct rlimit limit = {size, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() { EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0); }
  FileSizeLimit(const FileSizeLimit&) = delete;  // Two would restore it twice.
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_ = {};
};

TEST(MoveUserHooksTest, RemovesAPartialCopyOnAnotherFileSystem) {
  const TempDir own;
  std::string directory = "/dev/shm/o8lock.XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) GTEST_SKIP() << "no /dev/shm";
  const absl::Cleanup remove = [&directory] {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  };
  if (IdOf(directory)->device == IdOf(own.path())->device) {
    GTEST_SKIP() << "one file system only";
  }
  const std::string text(100000, '#');
  MakeFile(own.File("pre-push"), text, 0755);
  std::filesystem::create_directory(own.File("lib"));
  MakeFile(own.File("lib/a"), "");
  MakeFile(own.File("lib/b"), text);
  {
    const FileSizeLimit limit(text.size() / 2);
    EXPECT_EQ(MoveUserHooks(own.path(), directory).code(),
              absl::StatusCode::kAborted);
  }
  EXPECT_THAT(NamesIn(directory), IsEmpty());
  EXPECT_EQ(MoveUserHooks(own.path(), directory), absl::OkStatus());
  EXPECT_THAT(NamesIn(own.path()), IsEmpty());
  EXPECT_EQ(ReadFile(directory + "/pre-push").value_or(""), text);
  EXPECT_EQ(ReadFile(directory + "/lib/b").value_or(""), text);
}

}  // namespace
}  // namespace o8lock
